import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { anonKey, client, ok, unique, url } from './helpers.mjs'

const api = client()
const run = unique('run')
const author = unique('author')
const years = [1843, 1936, 1949, 1962]
let authorId

const title = (year) => `${run} of ${year}`
const mine = () => api.from('js_books').select('title, year').like('title', `${run}%`)

before(async () => {
  authorId = ok(await api.from('js_authors').insert({ name: author }).select().single()).id
  ok(await api.from('js_books').insert(years.map((year) => ({ author_id: authorId, title: title(year), year }))))
})

after(async () => ok(await api.from('js_authors').delete().eq('id', authorId)))

test('select returns the chosen columns of the inserted rows', async () => {
  assert.deepEqual(
    ok(await mine().order('year')),
    years.map((year) => ({ title: title(year), year })),
  )
})

test('eq keeps the one row that matches', async () => {
  assert.deepEqual(ok(await mine().eq('year', 1936)), [{ title: title(1936), year: 1936 }])
})

test('in keeps the rows of the list', async () => {
  const found = ok(await mine().in('year', [1843, 1962, 2000]).order('year'))
  assert.deepEqual(found.map((book) => book.year), [1843, 1962])
})

test('like keeps the rows that fit the pattern', async () => {
  const found = ok(await api.from('js_books').select('year').like('title', `${run}%49`))
  assert.deepEqual(found, [{ year: 1949 }])
})

test('order descending turns the rows round', async () => {
  const found = ok(await mine().order('year', { ascending: false }))
  assert.deepEqual(found.map((book) => book.year), years.toReversed())
})

test('range gives one page and count the whole', async () => {
  const { data, count, error } = await api
    .from('js_books')
    .select('year', { count: 'exact' })
    .like('title', `${run}%`)
    .order('year')
    .range(1, 2)
  assert.equal(error, null)
  assert.deepEqual(data.map((book) => book.year), [1936, 1949])
  assert.equal(count, 4)
})

test('count alone sends no rows', async () => {
  const answer = await api.from('js_books').select('*', { count: 'exact', head: true }).like('title', `${run}%`)
  assert.equal(answer.error, null)
  assert.equal(answer.count, 4)
  assert.equal(answer.data, null)
})

test('embedding follows the foreign key both ways', async () => {
  const book = ok(await api.from('js_books').select('year, js_authors(name)').eq('title', title(1949)).single())
  assert.deepEqual(book, { year: 1949, js_authors: { name: author } })
  const shelf = ok(await api.from('js_authors').select('name, js_books(year)').eq('id', authorId).single())
  assert.deepEqual(shelf.js_books.map((found) => found.year).sort(), years)
})

test('insert returns the row with its generated id', async () => {
  const row = ok(await api.from('js_books').insert({ author_id: authorId, title: title(7), year: 7 }).select().single())
  assert.equal(typeof row.id, 'number')
  assert.deepEqual(row, { id: row.id, author_id: authorId, title: title(7), year: 7 })
  ok(await api.from('js_books').delete().eq('id', row.id))
})

test('update changes only the rows of its filter', async () => {
  ok(await api.from('js_books').update({ year: 1937 }).eq('title', title(1936)))
  assert.deepEqual(ok(await mine().order('year')).map((book) => book.year), [1843, 1937, 1949, 1962])
  ok(await api.from('js_books').update({ year: 1936 }).eq('title', title(1936)))
})

test('upsert inserts what is new and updates what is known', async () => {
  const rows = [title(1843), title(8)].map((name) => ({ author_id: authorId, title: name, year: 8 }))
  ok(await api.from('js_books').upsert(rows, { onConflict: 'title' }))
  assert.deepEqual(ok(await mine().order('year')).map((book) => book.year), [8, 8, 1936, 1949, 1962])
  const restored = { author_id: authorId, title: title(1843), year: 1843 }
  ok(await api.from('js_books').upsert(restored, { onConflict: 'title' }))
  ok(await api.from('js_books').delete().eq('title', title(8)))
})

test('delete removes the row and says which', async () => {
  ok(await api.from('js_books').insert({ author_id: authorId, title: title(9), year: 9 }))
  assert.deepEqual(ok(await api.from('js_books').delete().eq('title', title(9)).select('year')), [{ year: 9 }])
  assert.deepEqual(ok(await mine().eq('year', 9)), [])
})

test('rpc passes arguments and takes filters', async () => {
  const found = ok(await api.rpc('js_books_since', { first_year: 1940 }).like('title', `${run}%`).order('year'))
  assert.deepEqual(found.map((book) => book.year), [1949, 1962])
})

test('rpc sees the anonymous role of the key', async () => {
  assert.deepEqual(ok(await api.rpc('js_whoami')), { uid: null, role: 'anon', email: null })
})

test('a second row with the same unique title is a conflict', async () => {
  const { error, status } = await api.from('js_books').insert({ author_id: authorId, title: title(1949), year: 1 })
  assert.equal(status, 409)
  assert.equal(error.code, '23505')
})

test('a row that breaks a check is refused', async () => {
  const { error, status } = await api.from('js_books').insert({ author_id: authorId, title: title(0), year: 0 })
  assert.equal(status, 400)
  assert.equal(error.code, '23514')
})

test('an unknown table, column and function are named in the error', async () => {
  const table = await api.from('js_nothing').select()
  assert.equal(table.status, 404)
  assert.match(table.error.message, /js_nothing/)
  const column = await api.from('js_books').select('colour')
  assert.equal(column.status, 400)
  assert.equal(column.error.code, '42703')
  const procedure = await api.rpc('js_nothing')
  assert.equal(procedure.status, 404)
  assert.equal(procedure.error.code, 'PGRST202')
})

test('single refuses several rows', async () => {
  const { error, status } = await mine().single()
  assert.equal(status, 406)
  assert.equal(error.code, 'PGRST116')
})

test('a key that is no key of the project is refused', async () => {
  const forged = anonKey.slice(0, -4) + (anonKey.endsWith('AAAA') ? 'BBBB' : 'AAAA')
  const { data, error, status } = await client(forged).from('js_books').select()
  assert.equal(status, 401, `${url} answered ${status}`)
  assert.equal(data, null)
  assert.ok(error)
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { client, deleteUsers, newUser, ok, serviceRoleKey, unique } from './helpers.mjs'

const service = client(serviceRoleKey)
const run = unique('note')
let ada
let bob

const bodies = async (api) => {
  const rows = ok(await api.from('js_notes').select('body').like('body', `${run}%`).order('body'))
  return rows.map((row) => row.body)
}

before(async () => {
  ada = await newUser()
  bob = await newUser()
  ok(await ada.own.from('js_notes').insert({ body: `${run} ada` }))
  ok(await bob.own.from('js_notes').insert({ body: `${run} bob` }))
})

after(async () => {
  ok(await service.from('js_notes').delete().like('body', `${run}%`))
  await deleteUsers([ada, bob])
})

test('each user sees only its own rows', async () => {
  assert.deepEqual(await bodies(ada.own), [`${run} ada`])
  assert.deepEqual(await bodies(bob.own), [`${run} bob`])
})

test('the owner column is filled from the token', async () => {
  const note = ok(await ada.own.from('js_notes').select('owner').eq('body', `${run} ada`).single())
  assert.equal(note.owner, ada.user.id)
})

test('a user cannot write in the name of another', async () => {
  const { error, status } = await ada.own.from('js_notes').insert({ body: `${run} forged`, owner: bob.user.id })
  assert.equal(status, 403)
  assert.equal(error.code, '42501')
})

test('a user can neither change nor delete the rows of another', async () => {
  const changed = ok(await ada.own.from('js_notes').update({ body: `${run} taken` }).eq('owner', bob.user.id).select())
  const deleted = ok(await ada.own.from('js_notes').delete().eq('owner', bob.user.id).select())
  assert.deepEqual([changed, deleted], [[], []])
  assert.deepEqual(await bodies(bob.own), [`${run} bob`])
})

test('the anonymous key sees nothing and may write nothing', async () => {
  assert.deepEqual(await bodies(client()), [])
  const { error, status } = await client().from('js_notes').insert({ body: `${run} anon`, owner: ada.user.id })
  assert.equal(status, 401)
  assert.equal(error.code, '42501')
})

test('the service key sees and writes everything', async () => {
  assert.deepEqual(await bodies(service), [`${run} ada`, `${run} bob`])
  ok(await service.from('js_notes').update({ body: `${run} bob 2` }).eq('body', `${run} bob`))
  assert.deepEqual(await bodies(bob.own), [`${run} bob 2`])
  ok(await service.from('js_notes').update({ body: `${run} bob` }).eq('body', `${run} bob 2`))
})

test('after sign-out the same client is anonymous', async () => {
  const carol = await newUser()
  try {
    ok(await carol.own.from('js_notes').insert({ body: `${run} carol` }))
    assert.deepEqual(await bodies(carol.own), [`${run} carol`])
    assert.equal((await carol.own.auth.signOut()).error, null)
    assert.deepEqual(await bodies(carol.own), [])
  } finally {
    ok(await service.from('js_notes').delete().eq('owner', carol.user.id))
    await deleteUsers([carol])
  }
})

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { address, client, deleteUsers, newUser, ok, password, serviceRoleKey } from './helpers.mjs'

const users = []

async function enrolled(metadata) {
  const user = await newUser(metadata)
  users.push(user)
  return user
}

function refused({ error }, status, code) {
  assert.ok(error, 'there is no error')
  assert.equal(error.status, status, error.message)
  assert.equal(error.code, code)
}

const claims = (session) => JSON.parse(Buffer.from(session.access_token.split('.')[1], 'base64url'))

after(() => deleteUsers(users))

test('sign-up gives a session whose token names the user and the role', async () => {
  const { email, user, session } = await enrolled({ nickname: 'Ada' })
  assert.equal(user.email, email)
  assert.equal(user.role, 'authenticated')
  assert.equal(user.user_metadata.nickname, 'Ada')
  assert.equal(user.identities[0].provider, 'email')
  assert.ok(user.email_confirmed_at)
  const { sub, role, aud, exp, iat, session_id: sessionId, is_anonymous: anonymous } = claims(session)
  assert.deepEqual({ sub, role, aud }, { sub: user.id, role: 'authenticated', aud: 'authenticated' })
  assert.ok(exp > iat && sessionId)
  assert.equal(anonymous, false)
})

test('sign-up with an address that is taken is refused', async () => {
  const { email } = await enrolled()
  refused(await client().auth.signUp({ email, password }), 422, 'user_already_exists')
})

test('sign-up with a short password or a bad address is refused', async () => {
  refused(await client().auth.signUp({ email: address(), password: 'abc' }), 422, 'weak_password')
  refused(await client().auth.signUp({ email: 'nobody', password }), 400, 'validation_failed')
})

test('sign-in gives a session that getUser and the database accept', async () => {
  const { email, user } = await enrolled()
  const own = client()
  const { session } = ok(await own.auth.signInWithPassword({ email, password }))
  assert.equal(session.user.id, user.id)
  assert.equal(ok(await own.auth.getUser()).user.email, email)
  assert.deepEqual(ok(await own.rpc('js_whoami')), { uid: user.id, role: 'authenticated', email })
})

test('sign-in with a wrong password or an unknown address is refused alike', async () => {
  const { email } = await enrolled()
  refused(await client().auth.signInWithPassword({ email, password: 'wrong' }), 400, 'invalid_credentials')
  refused(await client().auth.signInWithPassword({ email: address(), password }), 400, 'invalid_credentials')
})

test('refresh gives new tokens for the same session', async () => {
  const { own, session } = await enrolled()
  const fresh = ok(await own.auth.refreshSession()).session
  assert.notEqual(fresh.refresh_token, session.refresh_token)
  assert.equal(claims(fresh).session_id, claims(session).session_id)
})

test('a refresh token that was used two rotations ago is refused and ends the session', async () => {
  const { own, session } = await enrolled()
  ok(await own.auth.refreshSession())
  const last = ok(await own.auth.refreshSession()).session
  const old = await client().auth.refreshSession({ refresh_token: session.refresh_token })
  refused(old, 400, 'refresh_token_already_used')
  const child = await client().auth.refreshSession({ refresh_token: last.refresh_token })
  refused(child, 400, 'refresh_token_already_used')
})

test('an unknown refresh token is refused', async () => {
  const answer = await client().auth.refreshSession({ refresh_token: 'abcdefghijkl' })
  refused(answer, 400, 'refresh_token_not_found')
})

test('sign-out ends the session for its access and refresh token', async () => {
  const { own, session } = await enrolled()
  assert.equal((await own.auth.signOut()).error, null)
  assert.equal(ok(await own.auth.getSession()).session, null)
  refused(await client().auth.refreshSession({ refresh_token: session.refresh_token }), 400, 'refresh_token_not_found')
  const { error } = await client().auth.getUser(session.access_token)
  assert.ok(error)
})

test('sign-out of the others leaves this session alone', async () => {
  const { own, email, session } = await enrolled()
  const other = client()
  ok(await other.auth.signInWithPassword({ email, password }))
  assert.equal((await other.auth.signOut({ scope: 'others' })).error, null)
  assert.equal(ok(await other.auth.getUser()).user.email, email)
  const { error } = await own.auth.getUser(session.access_token)
  assert.ok(error)
})

test('update changes metadata and password', async () => {
  const { own, email } = await enrolled({ nickname: 'Ada', town: 'London' })
  const { user } = ok(await own.auth.updateUser({ password: 'another long password', data: { town: 'Paris' } }))
  assert.equal(user.user_metadata.nickname, 'Ada')
  assert.equal(user.user_metadata.town, 'Paris')
  refused(await client().auth.signInWithPassword({ email, password }), 400, 'invalid_credentials')
  ok(await client().auth.signInWithPassword({ email, password: 'another long password' }))
  refused(await own.auth.updateUser({ password: 'another long password' }), 422, 'same_password')
})

test('the service key creates, reads, lists, changes and deletes users', async () => {
  const { admin } = client(serviceRoleKey).auth
  const email = address()
  const created = ok(await admin.createUser({ email, password, email_confirm: true, app_metadata: { plan: 'a' } })).user
  assert.equal(created.app_metadata.plan, 'a')
  assert.equal(ok(await admin.getUserById(created.id)).user.email, email)
  const page = ok(await admin.listUsers({ page: 1, perPage: 1000 }))
  assert.ok(page.users.some((user) => user.id === created.id))
  assert.ok(page.total >= 1)
  const changed = ok(await admin.updateUserById(created.id, { user_metadata: { town: 'Rome' } })).user
  assert.equal(changed.user_metadata.town, 'Rome')
  ok(await client().auth.signInWithPassword({ email, password }))
  ok(await admin.deleteUser(created.id))
  refused(await admin.getUserById(created.id), 404, 'user_not_found')
  refused(await client().auth.signInWithPassword({ email, password }), 400, 'invalid_credentials')
})

test('a user made unconfirmed by the service key cannot sign in until confirmed', async () => {
  const { admin } = client(serviceRoleKey).auth
  const email = address()
  const { user } = ok(await admin.createUser({ email, password }))
  users.push({ user })
  refused(await client().auth.signInWithPassword({ email, password }), 400, 'email_not_confirmed')
  ok(await admin.updateUserById(user.id, { email_confirm: true }))
  ok(await client().auth.signInWithPassword({ email, password }))
})

test('pages of users do not overlap', async () => {
  await enrolled()
  await enrolled()
  const { admin } = client(serviceRoleKey).auth
  const [first, second] = [
    ok(await admin.listUsers({ page: 1, perPage: 1 })),
    ok(await admin.listUsers({ page: 2, perPage: 1 })),
  ]
  assert.equal(first.users.length, 1)
  assert.equal(second.users.length, 1)
  assert.notEqual(first.users[0].id, second.users[0].id)
  assert.equal(first.nextPage, 2)
})

test('the admin API refuses the anonymous key and a signed-in user', async () => {
  const { own, session } = await enrolled()
  refused(await client().auth.admin.listUsers(), 403, 'not_admin')
  refused(await own.auth.admin.createUser({ email: address(), password }), 403, 'not_admin')
  const asUser = await fetch(`${process.env.BERTH_URL}/auth/v1/admin/users`, {
    headers: { apikey: process.env.BERTH_ANON_KEY, authorization: `Bearer ${session.access_token}` },
  })
  assert.equal(asUser.status, 403)
})

test('a token with a forged signature is refused', async () => {
  const { session } = await enrolled()
  const [head, , signature] = session.access_token.split('.')
  const payload = Buffer.from(JSON.stringify({ ...claims(session), role: 'service_role' })).toString('base64url')
  const { error } = await client().auth.getUser([head, payload, signature].join('.'))
  assert.equal(error.status, 403)
  assert.equal(error.code, 'bad_jwt')
})

test('the settings say which ways of signing in are open', async () => {
  const answer = await fetch(`${process.env.BERTH_URL}/auth/v1/settings`, {
    headers: { apikey: process.env.BERTH_ANON_KEY },
  })
  const settings = await answer.json()
  assert.equal(settings.external.email, true)
  assert.equal(settings.mailer_autoconfirm, true)
})

/** What the three suites share: clients from the environment, and unwrapping of answers. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

function setting(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; see tests/clients/README.md`)
  return value
}

export const url = setting('BERTH_URL')
export const anonKey = setting('BERTH_ANON_KEY')
export const serviceRoleKey = setting('BERTH_SERVICE_ROLE_KEY')
export const password = 'correct horse battery staple'

/** A client that keeps its session in memory only and leaves refreshing to the test. */
export function client(key = anonKey) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket }, // supabase-js demands one before Node.js 22, used or not
  })
}

/** The data of an answer without an error. */
export function ok({ data, error }) {
  assert.equal(error, null)
  return data
}

/** A text that no other run uses. */
export function unique(prefix) {
  return `${prefix}-${randomUUID()}`
}

/** An address that no other run uses. */
export function address() {
  return `${unique('js')}@example.com`
}

/** A signed-up user with a client of its own. */
export async function newUser(metadata = {}) {
  const own = client()
  const email = address()
  const { user, session } = ok(await own.auth.signUp({ email, password, options: { data: metadata } }))
  assert.ok(session, 'sign-up gave no session: the project under test needs auth.email_autoconfirm: true')
  return { own, email, user, session }
}

/** Deletes the users of a suite with the service key. */
export async function deleteUsers(users) {
  const admin = client(serviceRoleKey)
  for (const { user } of users) ok(await admin.auth.admin.deleteUser(user.id))
}

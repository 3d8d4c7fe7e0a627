/** A supabase-js client that lives through changes of keys: a command per line of input, an answer per line of output. */
import { createInterface } from 'node:readline'
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

const clients = {}
const commands = {
  open: ({ client, url, key }) => {
    const auth = { persistSession: false, autoRefreshToken: false }
    clients[client] = createClient(url, key, { auth, realtime: { transport: WebSocket } })
    return {}
  },
  signUp: ({ client, email, password }) => clients[client].auth.signUp({ email, password }),
  setSession: ({ client, session }) => clients[client].auth.setSession(session),
  getSession: ({ client }) => clients[client].auth.getSession(),
  getUser: ({ client }) => clients[client].auth.getUser(),
  refresh: ({ client, session }) => clients[client].auth.refreshSession(session),
  rpc: ({ client, name }) => clients[client].rpc(name),
  listUsers: ({ client }) => clients[client].auth.admin.listUsers(),
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...rest } = JSON.parse(line)
  const { data = null, error = null } = await commands[command](rest)
  const refusal = error && { message: error.message, status: error.status, code: error.code }
  process.stdout.write(`${JSON.stringify({ data, error: refusal })}\n`)
}

/** A server on loopback that answers each request as the test says, or cuts, or never answers. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Step =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** Closes the connection: before the answer, or in the middle of it. */
  | 'cut'
  | 'cut in the body'
  | 'hang'

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Greetings are not among them. */
  readonly seen: Seen[]
  readonly greetings: Seen[]
}

export interface ScriptedServerOptions {
  /** One for each request that is no greeting; the last one stays. */
  readonly steps: readonly Step[]
  /** Of `ping/`; default: a real librarian, which says nothing of itself. */
  readonly greeting?: Step
}

const realGreeting: Step = { status: 200, body: { name: 'Local', description: 'A librarian' } }

/** As one of our own servers greets. */
export const ourGreeting: Step = {
  status: 200,
  body: { name: 'Local', description: 'A librarian', version: '1.0.0', capabilities: ['idempotency'] },
}

export async function startScriptedServer(options: ScriptedServerOptions): Promise<ScriptedServer> {
  const { steps, greeting = realGreeting } = options
  const seen: Seen[] = []
  const greetings: Seen[] = []
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = request.url ?? ''
    const record = {
      method: request.method ?? '',
      path,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }
    const isGreeting = path.endsWith('/ping/')
    const list = isGreeting ? greetings : seen
    list.push(record)
    perform(isGreeting ? greeting : steps[Math.min(seen.length, steps.length) - 1]!, response)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    greetings,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function perform(step: Step, response: ServerResponse): void {
  if (step === 'hang') return
  if (step === 'cut') {
    response.destroy()
    return
  }
  if (step === 'cut in the body') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('[{"name":', () => response.destroy())
    return
  }
  const { status, body, headers = {} } = step
  if (typeof body === 'string' || body === undefined) {
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body)
  } else {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

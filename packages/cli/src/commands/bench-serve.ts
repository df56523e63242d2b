/** The server behind `bench --targets`, in a process of its own. Hidden. Lives until its standard input is closed. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Command, Option } from 'commander'
import { Content } from '../bench/content.ts'
import { contentPath, serveContent } from '../bench/serve-content.ts'
import { type Served, type TargetName, targetNames } from '../bench/targets.ts'
import { type Context, printJson } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { valued } from '../options/fetch.ts'
import { parsePositiveSize } from '../units.ts'
import type { Run } from './define.ts'

interface ServeFlags {
  readonly target: TargetName
  readonly size: number
  readonly cert?: string
  readonly key?: string
}

export function define(command: Command, run: Run): void {
  command
    .addOption(new Option('--target <NAME>').choices(targetNames).makeOptionMandatory())
    .addOption(valued('--size <SIZE>', 'of the file', parsePositiveSize).makeOptionMandatory())
    .addOption(new Option('--cert <FILE>'))
    .addOption(new Option('--key <FILE>'))
  command.action(run(benchServe))
}

async function benchServe(_operands: string[], flags: ServeFlags, context: Context): Promise<number> {
  const content = new Content(flags.size)
  const sha256 = content.sha256()
  const server = serverFor(flags, serveContent(content, sha256.slice(0, 32), flags.target))
  // Clients hold their connections open between requests, longer than five seconds on a slow disk.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const url = `${flags.cert === undefined ? 'http' : 'https'}://127.0.0.1:${port}${contentPath}`
  printJson(context, { url, bytes: flags.size, sha256 } satisfies Served)
  for await (const _ of context.terminal.stdin);
  server.close()
  server.closeAllConnections()
  return exitCodes.ok
}

function serverFor({ cert, key }: ServeFlags, handler: ReturnType<typeof serveContent>): Server {
  if (cert === undefined || key === undefined) return createServer(handler)
  return createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, handler)
}

/**
 * An FTP server to try a program on, or to measure one with:
 *
 *     node packages/transfer/test/programs/ftp.ts DIR --port 2121 --latency 50
 *
 * serves what DIR holds now to anonymous visitors of this machine, prints its address as one line of JSON, and serves
 * until it is interrupted; then it prints how often each command came, and how many connections there were. Options:
 * --port PORT (any that is free), --latency MS before each command (0), --connections N at once (unlimited), --lists
 * COMMANDS for listing that it knows (MLSD,LIST,NLST).
 */
import { parseArgs } from 'node:util'
import { startFtpServer } from '../ftp-server/ftp-server.ts'
import { readTree } from '../ftp-server/read-tree.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    latency: { type: 'string', default: '0' },
    connections: { type: 'string', default: 'Infinity' },
    lists: { type: 'string', default: 'MLSD,LIST,NLST' },
  },
})
const [directory] = positionals
if (directory === undefined || positionals.length > 1) {
  throw new RangeError('Cannot serve: one directory must be given, as in `ftp.ts DIR --port 2121`')
}

const lists = values.lists.split(',') as ('MLSD' | 'LIST' | 'NLST')[]
const features = ['UTF8', 'REST STREAM', 'SIZE', 'MDTM', 'EPSV', ...(lists.includes('MLSD') ? [MLST()] : [])]
const server = await startFtpServer(
  { latencyMs: toNumber('latency'), most: toNumber('connections'), lists, features },
  toNumber('port'),
)
const files = await readTree(server.tree, directory)
console.log(JSON.stringify({ origin: server.origin, files }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)

async function stop(): Promise<void> {
  const commands = Object.groupBy(server.commands, line => line.split(' ', 1)[0] as string)
  const counts = Object.entries(commands).map(([verb, lines]) => [verb, lines?.length])
  const { total, peak } = server.connections
  console.log(JSON.stringify({ ...Object.fromEntries(counts), connections: total, mostAtOnce: peak }))
  await server[Symbol.asyncDispose]()
}

function MLST(): string {
  return 'MLST type*;size*;modify*;unique*;'
}

function toNumber(name: 'port' | 'latency' | 'connections'): number {
  const number = Number(values[name])
  if (!(number >= 0)) throw new RangeError(`Cannot read --${name} ${values[name]}: it must be a number from 0`)
  return number
}

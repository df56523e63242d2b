/**
 * A data commons to try a program on, or to measure one with:
 *
 *     node packages/transfer/test/programs/commons.ts --files 300 --size 1m --latency 0.3 --dir /tmp/commons
 *
 * writes `credentials.json`, `manifest.json`, `expected.md5` (for `md5sum -c`, in the target directory) and with --tls
 * `ca.pem` into --dir, prints where they are as one line of JSON, and serves until it is interrupted; then it prints how
 * many requests each route had. Options: --files N (10), --size BYTES with k, m, g (1m), --latency SECONDS of every
 * answer of the services (0), --storage-latency SECONDS (0), --rate BYTES per second of storage, all together
 * (unlimited), --token-ttl, --url-ttl SECONDS (1200, 3600), --no-bulk, --no-digests, --tls, --mixed (one row per fault
 * instead of --files), --dir DIR (a new one in the temporary directory).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Commons, type CommonsRequest, mixedCommons, startCommons } from '../commons-server.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10' },
    size: { type: 'string', default: '1m' },
    latency: { type: 'string', default: '0' },
    'storage-latency': { type: 'string', default: '0' },
    rate: { type: 'string' },
    'token-ttl': { type: 'string', default: '1200' },
    'url-ttl': { type: 'string', default: '3600' },
    'no-bulk': { type: 'boolean', default: false },
    'no-digests': { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    mixed: { type: 'boolean', default: false },
    dir: { type: 'string' },
  },
})

const directory = values.dir ?? mkdtempSync(join(tmpdir(), 'commons-'))
mkdirSync(directory, { recursive: true })

const commons = await startCommons({
  tls: values.tls,
  tokenTtlS: toNumber(values['token-ttl']),
  urlTtlS: toNumber(values['url-ttl']),
  withoutBulk: values['no-bulk'],
  bytesPerSecond: values.rate === undefined ? undefined : toBytes(values.rate),
})
const { rows, expected } = values.mixed ? fillMixed(commons) : fill(commons)
if (toNumber(values.latency) > 0) commons.latency('api', toNumber(values.latency) * 1000)
if (toNumber(values['storage-latency']) > 0) commons.latency('storage', toNumber(values['storage-latency']) * 1000)

const paths = {
  credentials: write('credentials.json', JSON.stringify(commons.credentials())),
  manifest: write('manifest.json', JSON.stringify(rows)),
  expected: write('expected.md5', expected.map(({ path, md5 }) => `${md5}  ${path}\n`).join('')),
  ...(commons.certificate === undefined ? {} : { ca: write('ca.pem', commons.certificate) }),
}
console.log(JSON.stringify({ origin: commons.origin, storage: commons.storage.origin, ...paths }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)

async function stop(): Promise<void> {
  const routes = Object.entries(Object.groupBy(commons.requests, ({ route }) => route))
  const counts = routes.map(([route, requests]) => [route, describe(requests)])
  console.log(JSON.stringify(Object.fromEntries(counts)))
  await commons.close()
  if (values.dir === undefined) rmSync(directory, { recursive: true, force: true })
}

function describe(requests: readonly CommonsRequest[]): object {
  const bytes = requests.reduce((sum, { bytesSent }) => sum + bytesSent, 0)
  const [first] = requests
  return { requests: requests.length, bytes, mostAtOnce: commons.maxConcurrent(first!.route) }
}

function fill(target: Commons): { rows: readonly object[]; expected: { path: string; md5: string }[] } {
  const size = toBytes(values.size)
  const width = String(toNumber(values.files)).length
  // Few contents, so that large files need not all be read for their digests; never the same for neighbours.
  const hashes = values['no-digests'] ? false : undefined
  const added = Array.from({ length: toNumber(values.files) }, (_, index) =>
    target.add({ name: `file-${String(index).padStart(width, '0')}.bin`, size, version: index % 8, hashes }),
  )
  return { rows: added.map(({ row }) => row), expected: added.map(({ name, md5 }) => ({ path: name!, md5 })) }
}

function fillMixed(target: Commons): { rows: readonly object[]; expected: { path: string; md5: string }[] } {
  const { rows } = mixedCommons(target)
  write('expected.json', JSON.stringify(rows, undefined, 2))
  return { rows: rows.map(({ entry }) => entry), expected: rows.flatMap(({ files }) => files) }
}

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function toBytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([kmg]?)$/i.exec(text) ?? []
  if (digits === '') throw new RangeError(`Cannot read ${text} as bytes: it must be like 500, 10k, 1m or 2g`)
  return Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase())
}

function toNumber(text: string): number {
  const number = Number(text)
  if (!(number >= 0)) throw new RangeError(`Cannot read ${text} as a number: it must not be negative`)
  return number
}

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Terminal } from '../terminal.ts'
import { withoutSecrets } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Finding } from './finding.ts'

/** Each connection and each open file takes one; the engine's own limit is far below. */
const fewFiles = 1024

const littleMemory = 256 * 1024 ** 2

/** When this version was made: a clock before it is wrong. */
const releasedMs = Date.UTC(2026, 0, 1)

/** What surrounds the process. */
export function* examineEnvironment(env: Terminal['env']): Generator<Finding> {
  yield* examineProxies(env)
  yield examineOpenFiles()
  yield examineMemory()
  yield { check: 'cores', level: 'ok', found: String(availableParallelism()) }
  yield examineClock()
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const found = 'NODE_TLS_REJECT_UNAUTHORIZED=0: every server is believed'
    yield { check: 'TLS', level: 'fail', found, next: 'Unset it; for a private authority use --ca FILE.' }
  }
}

function* examineProxies(env: Terminal['env']): Generator<Finding> {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY']
  const set = names.flatMap(name => {
    const value = env[name] ?? env[name.toLowerCase()]
    return value === undefined || value === '' ? [] : [{ name, value }]
  })
  if (set.length === 0) yield { check: 'proxy', level: 'ok', found: 'none in the environment' }
  for (const { name, value } of set) {
    const isUsable = name === 'NO_PROXY' || /^https?:\/\//i.test(value)
    const found = `${name}=${withoutSecrets(value)}`
    yield isUsable
      ? { check: 'proxy', level: 'ok', found }
      : { check: 'proxy', level: 'warn', found, next: 'Write it with its scheme, as http://HOST:PORT.' }
  }
}

function examineOpenFiles(): Finding {
  const limit = openFileLimit()
  if (limit === undefined) return { check: 'open files', level: 'ok', found: 'limit not known on this system' }
  return limit < fewFiles
    ? { check: 'open files', level: 'warn', found: `at most ${limit}`, next: `Raise it: ulimit -n ${fewFiles}` }
    : { check: 'open files', level: 'ok', found: `at most ${limit.toLocaleString('en-US')}` }
}

function openFileLimit(): number | undefined {
  const soft = /^Max open files\s+(\S+)/m.exec(readIfAny('/proc/self/limits'))?.[1]
  return soft === undefined ? undefined : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

function examineMemory(): Finding {
  // Honours the limit of a container.
  const available = process.availableMemory()
  const found = `${formatSize(available)} available; buffers take up to ${formatSize(Math.min(128 * 1024 ** 2, available / 4))}`
  return available < littleMemory
    ? { check: 'memory', level: 'warn', found, next: 'Free some, or say --max-memory.' }
    : { check: 'memory', level: 'ok', found }
}

function examineClock(): Finding {
  const now = new Date()
  return now.getTime() < releasedMs
    ? { check: 'clock', level: 'fail', found: now.toISOString(), next: 'Set it: certificates are refused otherwise.' }
    : { check: 'clock', level: 'ok', found: now.toISOString() }
}

function readIfAny(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

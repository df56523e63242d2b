/** What is to be fetched: the user's addresses, or local servers that are started for it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Context } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { namesSeveral } from '../get/request.ts'
import { withoutSecrets } from '../text.ts'
import { ourselves } from './contenders.ts'
import { type LocalServerOptions, startLocalServer } from './local-server.ts'
import type { Subject } from './plan.ts'
import { parseRunReport } from './run-report.ts'
import type { TargetName } from './targets.ts'

/** Asks each address once, with the flags that the runs will have: what is wrong with it is told before anything is moved. */
export async function askSubjects(
  urls: readonly string[],
  args: readonly string[],
  { signal }: Pick<Context, 'signal'>,
): Promise<Subject[]> {
  const subjects: Subject[] = []
  for (const url of urls) {
    const shown = withoutSecrets(url)
    if (namesSeveral(url)) throw new ProgramError('Usage', `${shown} names several files: give one that names a file.`)
    const { bytes, ranges } = await ask(url, args, signal)
    if (bytes === undefined) {
      throw new ProgramError('Unsupported', `Cannot measure with ${shown}: the server does not say how large it is.`)
    }
    if (bytes === 0) throw new ProgramError('Unsupported', `Cannot measure with ${shown}: it is empty.`)
    subjects.push({ scenario: shown, remote: { url }, bytes, hasRanges: ranges !== 'no', port: portOf(url) })
  }
  return subjects
}

async function ask(url: string, args: readonly string[], signal: AbortSignal) {
  const [node, ...argv] = ourselves(['bench-run', url, '--to', 'nothing', '--json', ...args]).argv
  const { stdout } = await promisify(execFile)(node!, argv, { signal }).catch(error => {
    if (signal.aborted) throw signal.reason
    throw toldBy(error)
  })
  return parseRunReport(stdout)!
}

/** The child's error as our own. */
function toldBy(failed: { stdout?: string; code?: number; stderr?: string; message: string }): Error {
  try {
    const { error } = JSON.parse(failed.stdout ?? '')
    const isUsage = error.code === 'usage'
    const remedy = isUsage ? 'What follows -- must be flags of arriero get.' : error.remedy
    return new ProgramError(isUsage ? 'Usage' : error.code, error.message, { remedy, exitCode: failed.code })
  } catch {
    return new ProgramError('Network', `Cannot ask: ${failed.stderr?.trim() || failed.message}`)
  }
}

/** Of servers on this machine: there, connections are not mixed up with those of other programs. */
function portOf(url: string): number | undefined {
  const { protocol, hostname, port } = new URL(url)
  if (!/^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(hostname)) return undefined
  return port === '' ? { 'http:': 80, 'https:': 443 }[protocol] : Number(port)
}

export interface LocalOptions extends LocalServerOptions {
  /** Closes the servers. */
  readonly servers: AsyncDisposableStack
  readonly say: (line: string) => void
  /** Of `get`, for every run. */
  readonly args: readonly string[]
}

/** A target that this machine cannot have is told, and left out. */
export async function localSubjects(names: readonly TargetName[], options: LocalOptions): Promise<Subject[]> {
  const { args } = options
  const subjects: Subject[] = []
  for (const name of names) {
    const server = await startLocalServer(name, options)
    if (!server) {
      options.say(`NOT RUN ${name}: its certificate needs the program openssl`)
      continue
    }
    options.servers.use(server)
    const { url, caFile, bytes, sha256 } = server
    // The flags are the user's: what is wrong with them is told now.
    if (args.length > 0) await ask(url, [...(caFile === undefined ? [] : ['--ca', caFile]), ...args], options.signal)
    const port = Number(new URL(url).port)
    subjects.push({ scenario: name, remote: { url, caFile }, bytes, sha256, hasRanges: true, port })
  }
  return subjects
}

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** What a downloading process came to; `killed` when it was. */
export interface Outcome {
  readonly code: string
  readonly message?: string
  readonly resumedBytes?: number
  readonly networkBytes?: number
  readonly needed?: number
  readonly free?: number
}

export interface DownloadProcess {
  /** The process runs and begins its download. */
  readonly started: Promise<void>
  /** Bytes that it had received when it last said so. */
  readonly landed: number
  readonly outcome: Promise<Outcome>
  kill(): void
}

const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning']

function programPath(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
}

/** Words of the command that runs a program of this directory. */
export function programCommand(name: string, ...words: readonly string[]): string[] {
  return [process.execPath, ...flags, programPath(name), ...words]
}

export function spawnDownload(url: string, target: string, options: object = {}): DownloadProcess {
  return watch(programCommand('download', url, target, JSON.stringify(options)))
}

/** Runs a command that ends as the download program does. */
export function watch([command, ...words]: readonly string[]): DownloadProcess {
  const child = spawn(command as string, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  const started = Promise.withResolvers<void>()
  child.stdout.on('data', (text: Buffer) => {
    output += text
    if (output.includes('started\n')) started.resolve()
  })
  child.stderr.on('data', (text: Buffer) => {
    errors += text
  })
  const outcome = once(child, 'close').then(([status, signal]): Outcome => {
    started.resolve()
    if (signal) return { code: 'killed' }
    const last =
      output
        .trim()
        .split('\n')
        .findLast(line => !line.startsWith('landed')) ?? ''
    return last.startsWith('{') ? JSON.parse(last) : { code: 'failed', message: `status ${status}: ${errors}` }
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    started: started.promise,
    outcome,
    get landed() {
      return Number(/landed (\d+)\n[^\n]*$/.exec(output)?.[1] ?? 0)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** A fault server in another process: for tests in which it would take half of this one's time. */
export async function forkServer(size: number): Promise<{
  readonly origin: string
  report(): Promise<{ connections: number; requests: number }>
}> {
  const child: ChildProcess = fork(programPath('serve'), [String(size)], { execArgv: flags })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [{ origin }] = (await once(child, 'message')) as [{ origin: string }]
  return {
    origin,
    async report() {
      const answer = once(child, 'message')
      child.send('report')
      return (await answer)[0]
    },
  }
}

/** The test commons in a process of its own, so that what it costs is not counted as the program's. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface CommonsProcess extends AsyncDisposable {
  /** Of the services, and of the host that presigned URLs lead to. */
  readonly origin: string
  readonly storage: string
  /** Paths of files. */
  readonly credentials: string
  readonly manifest: string
  /** Lines of md5sum, names relative to the target. */
  readonly expected: string
}

export interface CommonsProcessOptions {
  readonly files: number
  /** Bytes of each. */
  readonly size: number
  /** Seconds that every answer of the services takes. */
  readonly latency: number
}

const program = fileURLToPath(new URL('../../packages/transfer/test/programs/commons.ts', import.meta.url))

export async function startCommonsProcess({ files, size, latency }: CommonsProcessOptions): Promise<CommonsProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'arriero-commons-'))
  const numbers = { files, size, latency }
  const flags = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn(process.execPath, [program, ...flags, '--dir', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  for await (const chunk of child.stdout) {
    told += chunk
    if (told.includes('\n')) break
  }
  return {
    ...(JSON.parse(told) as Omit<CommonsProcess, keyof AsyncDisposable>),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      await rm(directory, { recursive: true, force: true })
    },
  }
}

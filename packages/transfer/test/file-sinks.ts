/** What tests of the file sink share: a directory, and sinks that write into it as a run of the program would. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ExistingNames } from '../src/existing-names.ts'
import type { FileOptions } from '../src/options.ts'
import { Publisher } from '../src/publish/publisher.ts'
import { Staging } from '../src/publish/staging.ts'
import { createFileSink, type FileSink, type FileSinkOptions } from '../src/sinks/file.ts'
import { Slots } from '../src/slots.ts'

/** As the program would say them, in one. */
export type SinkOptions = FileOptions &
  Partial<Pick<FileSinkOptions, 'smallLimit' | 'isGuess' | 'checksums'>> & { readonly uriHash?: string }

export interface FileSinks {
  readonly directory: string
  readonly slots: Slots
  path(name: string): string
  /** A sink of another run: nothing of what earlier ones know is known to it. */
  sink(name: string, options?: SinkOptions): FileSink
  /** Names in the directory, sorted, without the staging directory: it is tidied up a moment later. */
  names(): Promise<string[]>
}

export async function fileSinks(): Promise<FileSinks> {
  const directory = await mkdtemp(join(tmpdir(), 'arriero-file-sink-'))
  const slots = new Slots({ budget: 32 << 20 })
  const publisher = new Publisher(slots.buffer)
  const staging = new Staging(directory)
  onTestFinished(async () => {
    await publisher.close()
    await staging.close()
    await rm(directory, { recursive: true, force: true })
  })
  return {
    directory,
    slots,
    path: name => join(directory, name),
    sink: (name, { uriHash = 'ab', smallLimit = 0, isGuess, checksums = [], ...options } = {}) =>
      createFileSink({
        path: join(directory, name),
        names: new ExistingNames(),
        resource: { shownUri: 'https://example.org/a', uriHash },
        options,
        mayResume: options.resume !== false,
        checksums,
        smallLimit,
        isGuess,
        publisher,
        staging,
      }),
    async names() {
      const names = (await readdir(directory, { recursive: true })).sort()
      return names.filter(name => !name.startsWith('.arriero'))
    },
  }
}

/** Files on their way from this browser to the librarian. They go on while somebody looks at other pages. */
import { fileNameProblem, LibrarianError } from '@arriero/api'
import { createStore, type Store } from '../state/store.ts'
import { toError } from '../state/to-error.ts'
import type { DigestOptions } from './digest-file.ts'
import { keyOf, type Remembered } from './remembered.ts'
import { endTus, sendByTus, type TusOptions } from './tus.ts'

export type UploadPhase = 'waiting' | 'reading' | 'sending' | 'keeping' | 'kept' | 'failed' | 'ended'

export interface UploadItem {
  readonly id: number
  /** The future file’s name. */
  readonly name: string
  readonly size: number
  readonly phase: UploadPhase
  /** Bytes that were read, or sent. */
  readonly done: number
  /** Why it failed. */
  readonly error?: LibrarianError | undefined
}

export interface Uploads {
  readonly items: Store<readonly UploadItem[]>
  /** @param folder before each name; with or without a slash at its end */
  add(files: readonly File[], folder: string): void
  /** Gives up; what the server has of it goes. */
  end(id: number): void
  again(id: number): void
  /** Forgets those that have ended. */
  clear(): void
}

export interface UploadsOptions extends TusOptions {
  readonly digest: (file: File, options: DigestOptions) => Promise<string>
  readonly remembered: Remembered
  /** So many at once; default 2. */
  readonly atOnce?: number
}

interface Work {
  readonly file: File
  readonly controller: AbortController
}

const ended: readonly UploadPhase[] = ['kept', 'failed', 'ended']

export function isUnderWay({ phase }: UploadItem): boolean {
  return !ended.includes(phase)
}

export function createUploads(options: UploadsOptions): Uploads {
  const { atOnce = 2, digest, remembered } = options
  const items = createStore<readonly UploadItem[]>([])
  const works = new Map<number, Work>()
  let last = 0
  let running = 0

  const change = (id: number, next: Partial<UploadItem>) =>
    items.set(items.get().map(item => (item.id === id ? { ...item, ...next } : item)))

  const start = () => {
    const next = items.get().find(({ phase }) => phase === 'waiting')
    if (!next || running >= atOnce) return
    running++
    void run(next).finally(() => {
      running--
      start()
    })
    start()
  }

  const run = async ({ id, name }: UploadItem) => {
    const { file, controller } = works.get(id)!
    const { signal } = controller
    try {
      change(id, { phase: 'reading', done: 0, error: undefined })
      await send(id, name, file, signal)
      remembered.remove(keyOf(name, file))
      change(id, { phase: 'kept', done: file.size })
    } catch (error) {
      // Somebody has begun it again already.
      if (works.get(id)?.controller !== controller) return
      change(id, signal.aborted ? { phase: 'ended' } : { phase: 'failed', error: toError(error) })
    }
  }

  const send = async (id: number, name: string, file: File, signal: AbortSignal) => {
    const key = keyOf(name, file)
    const known = remembered.get(key)
    const checksum = known?.checksum ?? (await digest(file, { signal, onRead: done => change(id, { done }) }))
    change(id, { phase: 'sending', done: 0 })
    await sendByTus(
      {
        file,
        name,
        checksum,
        signal,
        url: known?.url,
        onUrl: url => remembered.set(key, { url, checksum }),
        onSent: done => change(id, { done, phase: done < file.size ? 'sending' : 'keeping' }),
      },
      options,
    )
  }

  const newItem = (file: File, name: string): UploadItem => {
    const item = { id: ++last, name, size: file.size, done: 0 }
    const problem = fileNameProblem(name)
    works.set(item.id, { file, controller: new AbortController() })
    if (problem === undefined) return { ...item, phase: 'waiting' }
    return { ...item, phase: 'failed', error: new LibrarianError('BadName', `Cannot use this name: ${problem}`) }
  }

  return {
    items,
    add(files, folder) {
      const prefix = folder.trim().replace(/\/*$/, '/').replace(/^\/+/, '')
      // Some systems tell names of files in a form that no librarian takes.
      const fresh = files.map(file => newItem(file, (prefix + file.name).normalize('NFC')))
      items.set([...items.get(), ...fresh])
      start()
    },
    end(id) {
      const item = items.get().find(each => each.id === id)
      const work = works.get(id)
      if (!item || !work) return
      const key = keyOf(item.name, work.file)
      const url = remembered.get(key)?.url
      work.controller.abort()
      if (item.phase !== 'kept') change(id, { phase: 'ended' })
      remembered.remove(key)
      if (url !== undefined) void endTus(url, options)
    },
    again(id) {
      const work = works.get(id)
      if (!work) return
      works.set(id, { file: work.file, controller: new AbortController() })
      change(id, { phase: 'waiting', done: 0, error: undefined })
      start()
    },
    clear: () => items.set(items.get().filter(isUnderWay)),
  }
}

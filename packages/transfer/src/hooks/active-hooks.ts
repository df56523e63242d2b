import type { FileEntry, FileVerdict, HookArguments, HookName, Hooks, Transform } from '../hooks.ts'
import type { Progress } from '../progress.ts'
import { redactUrl } from '../redact.ts'
import type { CpuPool } from '../workers/cpu-pool.ts'
import type { TransformThreads } from '../workers/transform-threads.ts'
import { readAnswer } from './answers.ts'
import { type Asking, ask, type Listener, labelOf, listenerOf, type OnTime, patienceOf } from './listener.ts'
import { hookNames } from './names.ts'
import { Patience } from './patience.ts'
import { HookClock } from './times.ts'
import { chain, type Stage } from './transform-chain.ts'

/** What hooks need of an engine. */
export interface HookEngine {
  readonly cpu: CpuPool
  readonly transforms: TransformThreads
  readonly progress: Progress
}

/** The hooks whose answer is looked at, or that are told to all: they have methods of their own. */
type Special = 'onFile' | 'onRetry' | 'onFileDone' | 'onDone' | 'resolve' | 'credentials'
export type Observed = Exclude<keyof HookArguments, Special>

/** The hooks of one call, ready to be asked: the objects' hooks by name, in order. */
export class ActiveHooks {
  /** Whose they are: calls that are given the same hooks share what was learnt from them. */
  readonly identity: object
  readonly clock = new HookClock()
  /** Some `onChunk` wants its bytes ascending. */
  readonly isOrdered: boolean
  readonly #listeners = new Map<HookName, readonly Listener[]>()
  readonly #stages: readonly Stage[]
  readonly #engine: HookEngine

  constructor(objects: readonly Hooks[], identity: object, engine: HookEngine) {
    this.identity = identity
    this.#engine = engine
    this.isOrdered = objects.some(({ onChunk, chunkOrder }) => onChunk !== undefined && chunkOrder === 'ascending')
    const owners = objects.map(hooks => ({ hooks, owner: ownerOf(hooks, objects) }))
    for (const name of hookNames) {
      if (name === 'transform') continue
      const having = owners.filter(({ hooks }) => hooks[name] !== undefined)
      if (having.length === 0) continue
      this.#listeners.set(
        name,
        having.map(({ hooks, owner }) => listenerOf(hooks, name, owner, engine.cpu)),
      )
    }
    this.#stages = owners.flatMap(({ hooks, owner }) => {
      const { transform } = hooks
      if (transform === undefined) return []
      const label = labelOf('transform', transform, owner)
      const pass =
        typeof transform === 'function' ? (bytes: AsyncIterable<Uint8Array>) => transform.call(hooks, bytes) : transform
      return [{ label, timeoutMs: patienceOf(hooks), pass }]
    })
  }

  has(name: HookName): boolean {
    return name === 'transform' ? this.#stages.length > 0 : this.#listeners.has(name)
  }

  /** Each in turn; the first failure ends it. */
  async tell<Name extends Observed>(name: Name, argument: HookArguments[Name], asking: Asking, clock?: HookClock) {
    for (const listener of this.#of(name)) await this.#ask(listener, argument, asking, clock)
  }

  /** All, whoever fails; also after an abort, but then only for a moment. */
  async tellEnd<Name extends 'onFileDone' | 'onDone'>(
    name: Name,
    argument: HookArguments[Name],
    signal: AbortSignal | undefined,
    clock?: HookClock,
  ): Promise<void> {
    using patience = new Patience(signal)
    const failures: unknown[] = []
    for (const listener of this.#of(name)) {
      await this.#ask(listener, argument, { signal: patience.signal }, clock).catch(error => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  /** What becomes of an entry; undefined: it is kept as it is. */
  async askFile(entry: FileEntry, signal: AbortSignal | undefined): Promise<Verdict | undefined> {
    let { path } = entry
    let priority: number | undefined
    for (const listener of this.#of('onFile')) {
      const given = await this.#ask(listener, { ...entry, path }, { signal })
      const verdict: FileVerdict | undefined = readAnswer('onFile', given, listener.label)
      if (verdict === 'skip') return 'skip'
      if (typeof verdict !== 'object') continue
      path = verdict.rename ?? path
      priority ??= verdict.priority
    }
    return path === entry.path && priority === undefined ? undefined : { path, priority }
  }

  /** Whether a retry may be made. */
  async allowsRetry(
    argument: HookArguments['onRetry'],
    signal: AbortSignal | undefined,
    clock?: HookClock,
  ): Promise<boolean> {
    for (const listener of this.#of('onRetry')) {
      const given = await this.#ask(listener, argument, { signal }, clock)
      if (readAnswer('onRetry', given, listener.label) === false) return false
    }
    return true
  }

  /** Where a URI leads now. */
  async resolve(uri: string, signal: AbortSignal | undefined, clock?: HookClock): Promise<string> {
    let address = uri
    for (const listener of this.#of('resolve')) {
      const shown = redactUrl(address)
      const given = await this.#ask(listener, shown, { signal }, clock)
      const next = readAnswer('resolve', given, listener.label)
      if (next !== undefined && next !== shown) address = next
    }
    return address
  }

  /** Headers for an origin; undefined: none. The first object to name one decides it. */
  async credentials(argument: HookArguments['credentials']): Promise<Readonly<Record<string, string>> | undefined> {
    const headers = new Map<string, readonly [name: string, value: string]>()
    let isGiven = false
    for (const listener of this.#of('credentials')) {
      const given = readAnswer(
        'credentials',
        await this.#ask(listener, argument, { signal: undefined }),
        listener.label,
      )
      isGiven ||= given !== undefined
      for (const [name, value] of Object.entries(given ?? {})) {
        if (!headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), [name, value])
      }
    }
    return isGiven ? Object.fromEntries(headers.values()) : undefined
  }

  /** All passes, one behind the other. */
  transform(signal: AbortSignal | undefined, clock: HookClock): Transform | undefined {
    if (this.#stages.length === 0) return undefined
    const onTime = this.#timer(clock)
    return bytes => chain(this.#stages, bytes, { signal, onTime, threads: this.#engine.transforms })
  }

  #of(name: HookName): readonly Listener[] {
    return this.#listeners.get(name) ?? []
  }

  #ask(listener: Listener, argument: unknown, asking: Asking, clock?: HookClock): Promise<unknown> {
    return ask(listener, argument, asking, this.#timer(clock))
  }

  #timer(clock: HookClock | undefined): OnTime {
    return (name, ms) => {
      clock?.add(name, ms)
      this.clock.add(name, ms)
      this.#engine.progress.hooks.add(name, ms)
    }
  }
}

/** What `onFile` made of an entry. */
export type Verdict = 'skip' | { readonly path: string | undefined; readonly priority: number | undefined }

/** Which object a hook is of, where that needs saying. */
function ownerOf(hooks: Hooks, all: readonly Hooks[]): string {
  const { name } = (Object.getPrototypeOf(hooks)?.constructor ?? {}) as { readonly name?: string }
  if (name !== undefined && name !== 'Object' && name !== '') return ` of ${name}`
  return all.length > 1 ? ` of hooks[${all.indexOf(hooks)}]` : ''
}

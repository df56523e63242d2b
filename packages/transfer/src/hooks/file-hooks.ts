import type { HookArguments, HookName, HookTimes, Transform } from '../hooks.ts'
import type { ActiveHooks, Observed } from './active-hooks.ts'
import type { Asking } from './listener.ts'
import { Patience } from './patience.ts'
import { HookClock } from './times.ts'

/** The hooks of a call as one file sees them: with a clock of its own. */
export class FileHooks {
  readonly #all: ActiveHooks
  readonly #signal: AbortSignal | undefined
  readonly #clock: HookClock

  /** @param signal ends the waiting for any of them */
  constructor(all: ActiveHooks, signal: AbortSignal | undefined, clock = new HookClock()) {
    this.#all = all
    this.#signal = signal
    this.#clock = clock
  }

  /** The same for one attempt, which ends for itself: hooks under way then get a moment, as after an abort. */
  attempt(): AttemptHooks {
    const patience = new Patience(this.#signal)
    return Object.assign(new FileHooks(this.#all, patience.signal, this.#clock), {
      end: (reason: unknown) => patience.end(reason),
      [Symbol.dispose]: () => patience[Symbol.dispose](),
    })
  }

  /** Some `onChunk` wants its bytes ascending. */
  get isOrdered(): boolean {
    return this.#all.isOrdered
  }

  /** ms in hooks so far. */
  get ms(): number {
    return this.#clock.ms
  }

  get times(): HookTimes | undefined {
    return this.#clock.times
  }

  has(name: HookName): boolean {
    return this.#all.has(name)
  }

  /** Each object in turn; the first failure ends it. */
  tell<Name extends Observed>(name: Name, argument: HookArguments[Name], onLeft?: Asking['onLeft']): Promise<void> {
    return this.#all.tell(name, argument, { signal: this.#signal, onLeft }, this.#clock)
  }

  tellDone(argument: HookArguments['onFileDone']): Promise<void> {
    return this.#all.tellEnd('onFileDone', argument, this.#signal, this.#clock)
  }

  allowsRetry(argument: HookArguments['onRetry']): Promise<boolean> {
    return this.#all.allowsRetry(argument, this.#signal, this.#clock)
  }

  resolve(uri: string): Promise<string> {
    return this.#all.resolve(uri, this.#signal, this.#clock)
  }

  transform(): Transform | undefined {
    return this.#all.transform(this.#signal, this.#clock)
  }
}

/** The hooks of one attempt to fetch a file. */
export interface AttemptHooks extends FileHooks, Disposable {
  /** It has failed: what still runs is not waited for much longer. */
  end(reason: unknown): void
}

import type { Commit, PipelineState } from './state/state.ts'

interface Waiting {
  readonly commit: Commit
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commits: while one group is being made safe, the next one gathers. So safety costs a sync for each group and not
 * for each item, and no item waits longer than for two.
 */
export class Commits {
  readonly #state: PipelineState
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(state: PipelineState) {
    this.#state = state
  }

  /** Resolves when the record is safe; after one has failed, all reject: what follows it must not be written. */
  add(commit: Commit): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject })
      this.#writing ??= this.#write()
    })
  }

  /** Waits for what is being written. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    // Those that end in this very turn go together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        if (this.#failure) throw this.#failure.error
        await this.#state.commit(group.map(({ commit }) => commit))
        for (const { resolve } of group) resolve()
      } catch (error) {
        this.#failure ??= { error }
        for (const { reject } of group) reject(error)
      }
    }
    this.#writing = undefined
  }
}

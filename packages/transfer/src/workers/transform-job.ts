/** Messages between the engine and a thread that runs passes over bytes. Each side has at most one question open. */

/** To the thread. `begin` comes first; then `next` and, while the pass asks for bytes, `input`, `end` or `lost`. */
export type ToPass = { readonly pass: number } & (
  | { readonly say: 'begin'; readonly module: string; readonly name: string }
  | { readonly say: 'next' }
  | { readonly say: 'input'; readonly bytes: Uint8Array }
  | { readonly say: 'end' }
  | { readonly say: 'lost'; readonly message: string }
  /** Nobody wants more: the pass may clean up. Answered by `done`. */
  | { readonly say: 'leave' }
)

/** From the thread. `want` also says that it is done with the bytes before. */
export type FromPass = { readonly pass: number } & (
  | { readonly say: 'want' }
  | { readonly say: 'output'; readonly bytes: unknown }
  | { readonly say: 'done' }
  | {
      readonly say: 'thrown'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      readonly code: string | undefined
    }
)

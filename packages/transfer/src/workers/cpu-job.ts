/** Messages between the engine and a thread of its CPU pool. */

/** One call of a caller's function in a thread. */
export interface CpuTask {
  /** `file:` URL of the module. */
  readonly module: string
  /** Name of the export. */
  readonly name: string
  readonly args: readonly unknown[]
  /** Given behind the arguments, with `warn` added; undefined: the function gets the arguments alone. */
  readonly context?: object | undefined
  /** Only load the module and see that the export is a function. */
  readonly isCheck?: boolean | undefined
}

/** How a call ended. What the function threw travels as data: a cloned error keeps neither its code nor its class. */
export type CpuReply =
  | { readonly value: unknown; readonly isDropped?: boolean; readonly warnings: readonly string[] }
  | { readonly thrown: Thrown; readonly warnings: readonly string[] }

export interface Thrown {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly retriable: boolean | undefined
}

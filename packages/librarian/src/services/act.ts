/** A privileged act that is being done (reliability F4). */
import type { AuditEntry } from '../catalogue/operations/audit.ts'

export interface ActOptions {
  /** A user's name; of work that nobody asked for, `task:` and what it is: no user may have a colon in their name. */
  readonly actor: string
  /** For calls of the wire, the endpoint's path. */
  readonly action: string
  /** What it is done to: a name or a number. */
  readonly subject: string
  /** Why, which proofs; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/**
 * Handed from whoever knows who asks to the operation that does it, which writes the entry in its own transaction. What is
 * never handed on has changed nothing, or failed, and is written down afterwards.
 */
export class Act {
  readonly actor: string
  readonly action: string
  readonly #subject: string
  readonly #detail: Readonly<Record<string, unknown>>
  #isHandedOn = false

  constructor({ actor, action, subject, detail = {} }: ActOptions) {
    this.actor = actor
    this.action = action
    this.#subject = subject
    this.#detail = detail
  }

  get isHandedOn(): boolean {
    return this.#isHandedOn
  }

  /** For the operation that does it. */
  entry(): AuditEntry {
    this.#isHandedOn = true
    return this.entryWith({})
  }

  /** For an entry of its own. */
  entryWith(detail: Readonly<Record<string, unknown>>): AuditEntry {
    const { actor, action } = this
    return { actor, action, subject: this.#subject, detail: { ...this.#detail, ...detail } }
  }

  /** Whoever took it on writes an entry of its own. */
  handOn(): void {
    this.#isHandedOn = true
  }
}

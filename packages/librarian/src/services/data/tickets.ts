/**
 * Tickets: short-lived leave to read one file, for callers who cannot send their password where the bytes are, such as DRS
 * clients. A ticket names who asked, what for and until when, and is signed; nothing is stored, so any process of a site
 * takes what another one gave. It travels in a header, never in a URL (reliability F1).
 *
 *     base64url(JSON) . base64url(HMAC-SHA256 over it)
 *
 * By itself it does not end with the account: whoever takes it asks whether there still is one.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

export interface TicketsOptions {
  /** Kept by all processes of a site and nobody else. */
  readonly secret: string | Buffer
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Default 15 minutes. */
  readonly lifeMs?: number | undefined
}

const contents = z.object({ user: z.string(), name: z.string(), until: z.int() })

export class Tickets {
  readonly #key: Buffer
  readonly #now: () => number
  readonly #lifeMs: number

  constructor({ secret, now, lifeMs = 900_000 }: TicketsOptions) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'arriero: tickets for data', 32))
    this.#now = now
    this.#lifeMs = lifeMs
  }

  issue(user: string, name: string): string {
    const text = JSON.stringify({ user, name, until: this.#now() + this.#lifeMs })
    const body = Buffer.from(text).toString('base64url')
    return `${body}.${this.#sign(body).toString('base64url')}`
  }

  /** Undefined: not a ticket of ours, for something else, or too old. */
  redeem(ticket: string, name: string): { readonly name: string; readonly level: 'READONLY' } | undefined {
    const [body = '', signature = ''] = ticket.split('.')
    const given = Buffer.from(signature, 'base64url')
    const right = this.#sign(body)
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    const ticketed = contents.parse(JSON.parse(Buffer.from(body, 'base64url').toString()))
    const isGood = ticketed.name === name && ticketed.until > this.#now()
    return isGood ? { name: ticketed.user, level: 'READONLY' } : undefined
  }

  #sign(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest()
  }
}

/**
 * Endpoints of the table that this release does not answer: unknown paths until then, as callers expect of a server that
 * lacks them. Whoever adds a handler takes the line away; the server does not start otherwise.
 */
import type { Endpoint } from '@arriero/api'

const unserved: readonly RegExp[] = []

export function isUnserved({ path }: Endpoint): boolean {
  return unserved.some(pattern => pattern.test(path))
}

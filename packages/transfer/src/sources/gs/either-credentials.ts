import type { HttpCredentials } from '../../http/credentials.ts'

/** The caller's provider where it has something to give, e.g. for hosts in `~/.netrc`; else the store's own tokens. */
export class EitherCredentials implements AsyncDisposable {
  /** One per provider: connections are not shared between providers. */
  readonly #known = new WeakMap<HttpCredentials, WeakMap<HttpCredentials, HttpCredentials>>()

  of(first: HttpCredentials, second: HttpCredentials): HttpCredentials {
    const known = this.#known.get(first) ?? new WeakMap<HttpCredentials, HttpCredentials>()
    this.#known.set(first, known)
    const either = known.get(second) ?? join(first, second)
    known.set(second, either)
    return either
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function join(first: HttpCredentials, second: HttpCredentials): HttpCredentials {
  let hasFirst = false
  return {
    async headers(request) {
      const given = await first.headers(request)
      hasFirst = Object.keys(given).length > 0
      return hasFirst ? given : second.headers(request)
    },
    async refresh(refusal) {
      const refused = hasFirst ? first : second
      return (await refused.refresh?.(refusal)) ?? false
    },
  }
}

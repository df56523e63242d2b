/**
 * The wire says the same of a wrong password and of a level that is too low (librarian 5.2). The same login is tried on a call
 * that every level but NONE may make: if that is answered, it was the level.
 */
import { type Connection as Api, type CallOptions, type Endpoint, endpoints, LibrarianError } from '@arriero/api'

type Call = (request?: unknown, options?: CallOptions) => Promise<unknown>

/** The same calls; a refusal says which of the two it is, as far as anybody can know. */
export function tellLevels(api: Api, { user, name }: { readonly user: string; readonly name: string }): Api {
  const explain = async (error: unknown, { level }: Endpoint, signal: AbortSignal | undefined): Promise<unknown> => {
    if (!(error instanceof LibrarianError) || error.code !== 'Denied') return error
    const isLoginRight = level !== 'READONLY' && level !== 'NONE' && (await mayLogIn(api, signal))
    if (!isLoginRight) return new LibrarianError('Denied', error.message, { remedy: UNKNOWN, cause: error })
    const what = `The level of ${user} at ${name} is too low: this needs ${level} (user and password are right)`
    const remedy = `Ask an administrator of the librarian for it; they say: arriero users set ${user} --level ${level}`
    return new LibrarianError('Denied', what, { remedy, cause: error })
  }
  const told: Record<string, unknown> = {}
  for (const [group, names] of Object.entries(endpoints)) {
    const calls = api[group as keyof typeof endpoints] as unknown as Readonly<Record<string, Call>>
    told[group] = Object.fromEntries(
      Object.entries(names as Readonly<Record<string, Endpoint>>).map(([each, endpoint]) => {
        const call: Call = async (request, options) => {
          try {
            return await calls[each]!(request, options)
          } catch (error) {
            throw await explain(error, endpoint, options?.signal)
          }
        }
        return [each, call]
      }),
    )
  }
  return { ...api, ...told } as Api
}

const UNKNOWN = 'Check user and password. An account whose level is NONE is refused in the same words.'

async function mayLogIn(api: Api, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await api.ping.logged({}, signal === undefined ? {} : { signal })
    return true
  } catch {
    signal?.throwIfAborted()
    return false
  }
}

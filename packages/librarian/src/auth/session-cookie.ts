/** The session's cookie, as browsers send and take it. */
import { SESSION_COOKIE } from '@arriero/api'

const token = /^[\w-]{43}$/

/** Undefined: there is none. Of two, which a page of a neighbouring host can set, none counts. */
export function sessionToken(cookies: string | undefined): string | undefined {
  const values = (cookies ?? '')
    .split(';')
    .map(each => each.trim().split('='))
    .filter(([name]) => name === SESSION_COOKIE)
    .map(([, value = '']) => value)
  return values.length === 1 && token.test(values[0]!) ? values[0] : undefined
}

export function sessionCookie(value: string, { isSecure }: { isSecure: boolean }): string {
  return [`${SESSION_COOKIE}=${value}`, 'HttpOnly', 'SameSite=Strict', 'Path=/', ...(isSecure ? ['Secure'] : [])].join(
    '; ',
  )
}

/** Takes it away. */
export function endedCookie(options: { isSecure: boolean }): string {
  return `${sessionCookie('', options)}; Max-Age=0`
}

/** What a server's refusal means (RFC 959, 4.2; retrieval 14). */
import { type ErrorCode, TransferError } from '../../errors.ts'
import { SLASH_HINT } from '../../listing/slash-hint.ts'
import { type Reply, wordsOf } from './reply.ts'

const CROWDED = /too many|maximum|max(?:imum)? (?:number|clients)|limit|already connected|later|busy|capacity|full/i
const BAD_LOGIN = /incorrect|password|fail|attempt|invalid|denied|authenticat/i
const MISSING =
  /no such|not found|(?:does not|doesn.?t) exist|cannot find|can.t find|no file|unknown file|not a (?:valid )?(?:file|directory)/i
const DENIED = /permission|denied|not allowed|forbidden|not permitted|privilege|not authori[sz]ed|access is|prohibited/i

export interface RefusalContext {
  /** Redacted, for messages. */
  readonly uri: string
  /** What was asked, e.g. `RETR`. What is said about logins may repeat them and is never shown. */
  readonly asked: string
  /** The file is there, as another reply has said. */
  readonly exists?: boolean | undefined
}

/** A reply that says no, as an error. */
export function refusal(reply: Reply, { uri, asked, exists = false }: RefusalContext): TransferError {
  const { code } = reply
  const words = wordsOf(reply).replace(/\.$/, '')
  const isListing = /^(?:CWD|MLSD|LIST|NLST)/.test(asked)
  const isLogin = asked === 'USER' || asked === 'PASS'
  const said = isLogin || words === '' ? `${code}` : `${code} ${words}`
  const fail = (kind: ErrorCode, what: string, more: { retriable?: boolean; isGone?: boolean; remedy?: string } = {}) =>
    new TransferError(kind, `Cannot ${isListing ? 'list' : 'fetch'} ${uri}: ${what} (${said})`, {
      url: uri,
      // With a status the connection counts as good: it is then not replaced before the next attempt.
      status: more.isGone ? undefined : code,
      retriable: more.retriable,
      remedy: more.remedy,
    })
  if (isCrowded(reply)) return fail('Throttled', 'the server has too many visitors', { isGone: true })
  if (code === 421) return fail('Network', 'the server closed the connection', { isGone: true })
  if (code === 425 || code === 426) return fail('Network', 'the data connection failed', { isGone: true })
  // 332 wants an account besides the password, which nobody has today.
  if (isLogin && (code < 400 || code === 430)) return fail('Denied', 'the server refused the login')
  if (code < 500) return fail('Network', `the server is not ready for ${asked}`)
  if (isLogin || code === 530 || code === 532) return fail('Denied', 'the server refused the login')
  if (code === 550 || code === 553) {
    if (DENIED.test(words)) return fail('Denied', 'it may not be read')
    if (exists && !MISSING.test(words)) return fail('Denied', 'it may not be read')
    if (isListing) return fail('NotFound', 'there is no such directory')
    return fail('NotFound', 'there is no such file', { remedy: `Check the name. ${SLASH_HINT}` })
  }
  // 533-536 speak of protection (RFC 2228), 522 of passive modes (RFC 2428).
  if ((code >= 533 && code <= 536) || code === 522) return fail('Unsupported', `the server refuses ${asked}`)
  if (code === 551 || code === 552) return fail('Network', `the server broke ${asked} off`, { retriable: true })
  return fail('Protocol', `the server refuses ${asked}`, { retriable: false })
}

/** The server is not the one to blame for a login that fails: it has too many of them. */
export function isCrowded(reply: Reply): boolean {
  const words = wordsOf(reply)
  if (reply.code === 421) return !/time.?out|idle|inactiv|no transfer/i.test(words)
  return reply.code === 530 && CROWDED.test(words) && !BAD_LOGIN.test(words)
}

/** The server does not know, or not allow, this command: asking it otherwise may help. */
export function isUnknownCommand({ code }: Reply): boolean {
  return code === 500 || code === 501 || code === 502 || code === 503 || code === 504 || code === 522
}

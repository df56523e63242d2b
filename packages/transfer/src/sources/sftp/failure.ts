import { TransferError } from '../../errors.ts'
import { STATUS } from './packets.ts'
import { StatusError } from './session.ts'

/** `path`: the server was asked for a name. `handle`: something that is open already. */
export type Asked = 'path' | 'handle'

/** What a refusal of the server means. */
export function sftpError(cause: unknown, action: string, uri: string, asked: Asked): unknown {
  // What failed with the connection speaks of the host.
  if (cause instanceof TransferError) return cause.url === undefined ? cause.with({ url: uri }) : cause
  if (!(cause instanceof StatusError)) return cause
  const fail = (code: 'NotFound' | 'Denied' | 'Unsupported' | 'Protocol', what: string) =>
    new TransferError(code, `Cannot ${action} ${uri}: ${what}`, { url: uri, cause })
  // A handle has no name that could be missing: the server lost it.
  if (asked === 'handle') return fail('Protocol', `the server failed in the middle of it (${wordsOf(cause)})`)
  switch (cause.status) {
    case STATUS.noSuchFile:
      return fail('NotFound', 'there is no such file or directory')
    case STATUS.permissionDenied:
      return fail('Denied', 'it may not be read')
    case STATUS.unsupported:
      return fail('Unsupported', 'the server does not offer that')
    default:
      return fail('Protocol', `the server refused it (${wordsOf(cause)})`)
  }
}

/** The server's words, short and without what could disturb a terminal. */
function wordsOf({ message, status }: StatusError): string {
  const words = message
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 80)
  return words === '' ? `status ${status}` : words
}

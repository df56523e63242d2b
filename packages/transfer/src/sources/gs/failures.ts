/** What the store's refusals mean, in one line. */
import { TransferError } from '../../errors.ts'
import { SLASH_HINT } from '../../listing/slash-hint.ts'

export interface FailureContext {
  readonly isAnonymous: boolean
  readonly userProject: string | undefined
}

/** A failure with what the reader can do about it. */
export function explained(error: unknown, { isAnonymous, userProject }: FailureContext): unknown {
  if (!(error instanceof TransferError)) return error
  const { status } = error
  if (status === 400 && /requester pays|user project/i.test(error.message)) {
    const hint = userProject === undefined ? 'name the project that pays: --user-project' : 'check --user-project'
    return again(hint, error)
  }
  if (error.code !== 'Denied' || !isAnonymous || (status !== 401 && status !== 403)) return error
  const hint =
    'no credentials were sent: GOOGLE_APPLICATION_CREDENTIALS or gcloud’s application default login name some'
  return again(hint, error)
}

/** What is not there, bucket or object; undefined: the store does not say. */
export function notFound(uri: string, message: string): TransferError | undefined {
  const isBucket = /bucket does not exist/i.test(message)
  const isObject = /no such object/i.test(message)
  if (!isBucket && !isObject) return undefined
  const what = isBucket ? 'the bucket does not exist' : 'there is no such object in the bucket'
  const remedy = isBucket ? undefined : `Check the name. ${SLASH_HINT}`
  return new TransferError('NotFound', `Cannot fetch ${uri}: ${what}`, { url: uri, status: 404, remedy })
}

export function replaced(uri: string, generation: string): TransferError {
  const what = `Cannot go on with ${uri}: generation ${generation} is there no more, it was replaced or removed`
  return new TransferError('ResourceChanged', what, { url: uri, status: 404 })
}

function again(hint: string, { message, details }: TransferError): TransferError {
  return new TransferError('Denied', `${message.replace(/\.$/, '')}; ${hint}`, { ...details, retriable: false })
}

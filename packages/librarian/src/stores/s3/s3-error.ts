import { LibrarianError } from '@arriero/api'
import { codeOf, systemError } from '../local/system-error.ts'
import { type S3Place, statusOf } from './s3-objects.ts'

/** Says in the librarian's words what the bucket, or the scratch disk, refused. */
export function s3Error({ bucket }: S3Place, error: unknown, action: string, what: string): LibrarianError {
  if (error instanceof LibrarianError) return error
  if (statusOf(error) === undefined && codeOf(error) === undefined) return systemError(error, action, what)
  const met = statusOf(error) ?? codeOf(error)
  return new LibrarianError('StoreUnavailable', `Cannot ${action} ${what}: ${bucket} answered ${met}`, { cause: error })
}

/** Does something at a bucket, and tells in these words that it failed. */
export async function speaking<T>(place: S3Place, action: string, what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw s3Error(place, error, action, what)
  }
}

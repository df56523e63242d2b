import { isWholeChecksum, LibrarianError, parseFileName, parsePartName } from '@arriero/api'
import type { StageRequest } from './uploads.ts'

/** @throws LibrarianError `BadRequest`, `TooLarge`, `BadName` */
export function checkStageRequest(request: StageRequest, maximalSize: number): void {
  const { size, checksum, isUnattested = false, name, uploadName } = request
  if (size < 0) {
    throw new LibrarianError('BadSize', `Cannot take ${name}: its size must be 0 or more, got ${size}`)
  }
  if (size > maximalSize) {
    throw new LibrarianError('TooLarge', `Cannot take ${name}: it may have ${maximalSize} bytes, got ${size}`)
  }
  if (!Number.isSafeInteger(size))
    throw new LibrarianError('BadRequest', `The size must be a whole number, got ${size}`)
  parseFileName(name)
  parsePartName(uploadName)
  if (checksum === undefined ? !isUnattested : !isWholeChecksum(checksum)) {
    throw new LibrarianError(
      'BadRequest',
      `Cannot take ${name}: its checksum must be like xxh3:::HEX, got ${checksum === undefined ? 'none' : `"${checksum}"`}`,
      { remedy: 'Send the checksum of the data, or say that there is none.' },
    )
  }
}

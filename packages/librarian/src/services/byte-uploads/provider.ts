import { MOST_MEMBERS } from '../../stores/archive-members.ts'
import type { UploadProvider } from '../uploads/uploads.ts'
import { readNotes } from './notes.ts'

/** Where the bytes of an upload go, by its token. */
export const bytesPath = '/api/v2/upload/bytes'

/**
 * Bytes over HTTP, for whoever shares no disk with us. `hostnames` is empty, so that real clients pass it by (librarian 8,
 * Q13); the address is a path, because only the caller knows by which name it reached us.
 */
export const httpProvider: UploadProvider = {
  name: 'http',
  offer: ({ token }, { store }) => ({
    hostnames: [],
    url: `${bytesPath}/${token}`,
    protocol: 'tus',
    version: '1.0.0',
    ...(store.capabilities.hasTrees ? { archives: ['tar'], max_members: MOST_MEMBERS } : {}),
  }),
  originOf: ({ token, staging_path, transfer_data }) => {
    const { archive } = readNotes(transfer_data)
    return {
      from: 'spool',
      id: token,
      stagingId: staging_path ?? undefined,
      ...(archive ? { archive: archive.format } : {}),
    }
  },
}

/** The one table of endpoints. The server, the client and OpenAPI are made from it. */
import { admin } from './admin.ts'
import { checkin } from './checkin.ts'
import { clone } from './clone.ts'
import { corrupt } from './corrupt.ts'
import { error } from './error.ts'
import { ingest } from './ingest.ts'
import { ping } from './ping.ts'
import { search } from './search.ts'
import { transfers } from './transfers.ts'
import { upload } from './upload.ts'
import { users } from './users.ts'
import { validate } from './validate.ts'

export const endpoints = {
  ping,
  upload,
  clone,
  checkin,
  search,
  error,
  users,
  admin,
  validate,
  corrupt,
  transfers,
  ingest,
}

export type Endpoints = typeof endpoints

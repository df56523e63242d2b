/** The one table of endpoints. The server, the client and OpenAPI are made from it. */
import { admin } from './admin.ts'
import { checkin } from './checkin.ts'
import { clone } from './clone.ts'
import { corrupt } from './corrupt.ts'
import { dashboard } from './dashboard.ts'
import { deletion } from './deletion.ts'
import { destruction } from './destruction.ts'
import { error } from './error.ts'
import { ingest } from './ingest.ts'
import { ping } from './ping.ts'
import { proof } from './proof.ts'
import { repair } from './repair.ts'
import { search } from './search.ts'
import { sneakernet } from './sneakernet.ts'
import { tasks } from './tasks.ts'
import { transfers } from './transfers.ts'
import { upload } from './upload.ts'
import { users } from './users.ts'
import { validate } from './validate.ts'

/** All calls, by group and name. */
export const endpoints = {
  ping,
  upload,
  clone,
  checkin,
  search,
  error,
  users,
  admin,
  deletion,
  destruction,
  validate,
  corrupt,
  transfers,
  ingest,
  sneakernet,
  proof,
  repair,
  tasks,
  dashboard,
}

/** The type of the table. */
export type Endpoints = typeof endpoints

import type { Nginx } from '../servers/nginx.ts'

/** One named claim about the built program and a real server. It throws when the claim does not hold. */
export interface Check {
  /** Reads as a claim: `get resumes after SIGKILL`. */
  name: string
  run(place: Place): Promise<void>
}

/** What a check gets: a running server and an empty directory of its own, removed afterwards. */
export interface Place {
  nginx: Nginx
  /** The directory that nginx serves; see `served-files.ts` for what lies in it. */
  root: string
  directory: string
}

/** Thrown by a check that cannot be made on this machine. */
export class NotRun extends Error {}

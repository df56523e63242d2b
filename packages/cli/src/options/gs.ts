/** Flags for Google Cloud Storage. */
import { Option } from 'commander'
import type { FetchOptions } from '../engine.ts'

export interface GsFlags {
  readonly userProject?: string
  readonly anonymous?: boolean
}

export const userProjectOption = () =>
  new Option('--user-project <PROJECT>', 'gs: the project that pays, where buckets make the requester pay')

export function gsOptions({ userProject, anonymous }: GsFlags): FetchOptions['gs'] {
  return userProject === undefined && !anonymous ? undefined : { userProject, anonymous }
}

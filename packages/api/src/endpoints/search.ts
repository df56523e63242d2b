/** Finding files, copies and errors (librarian 10.5): newest first, an empty result is a failure with a literal reason. */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { deletionPolicy, deletionPolicyFilter } from '../values/deletion-policy.ts'
import { errorCategory, errorSeverity } from '../values/error-kinds.ts'
import { boolean, instant, instantWindow, integer, maxResults, naive, optional, text } from '../values/lax.ts'

const localInstance = z.object({
  /** Absolute on local stores, an object’s URL on others. */
  path: z.string(),
  deletion_policy: deletionPolicy.told,
  created_time: naive,
  available: z.boolean(),
  id: z.int().nullish(),
  file_name: z.string().nullish(),
  store_id: z.int().nullish(),
  /** Ours: what the last full read of it found (reliability C2). */
  state: z.string().nullish(),
  /** Ours: of a bad state, since when; of a good one, when it was read last. In `search/instance_local` always the last reading. */
  state_time: naive.nullish(),
})

const remoteInstance = z.object({
  librarian_name: z.string(),
  copy_time: naive,
  id: z.int().nullish(),
  file_name: z.string().nullish(),
  store_id: z.int().nullish(),
  sender: z.string().nullish(),
})

const foundFile = z.object({
  name: z.string(),
  create_time: naive,
  size: z.int().nullable(),
  checksum: z.string().nullable(),
  uploader: z.string().nullable(),
  source: z.string().nullable(),
  instances: z.array(localInstance),
  remote_instances: z.array(remoteInstance),
  /** Ours: who uploaded it first, where clones would lose that (librarian Q11). */
  first_uploader: z.string().nullish(),
  /** Ours: hex; of the bytes, or of a tree’s manifest. */
  sha256: z.string().nullish(),
  /** Ours: a single file or a directory. */
  kind: z.enum(['file', 'tree']).optional(),
  /** Ours: whether the sender’s digest was compared with what arrived. */
  is_attested: z.boolean().optional(),
})

export const search = {
  file: endpoint({
    path: 'search/file',
    level: 'READONLY',
    summary: 'Find files. All conditions must hold.',
    request: z.object({
      name: optional(text),
      create_time_window: optional(instantWindow),
      uploader: optional(text),
      source: optional(text),
      max_results: maxResults,
      /** Ours: a name with wildcards: `*` and `?` within a part, `**` across parts. */
      name_glob: optional(text.max(256)),
      /** Ours: least and most bytes, both inclusive; null is open. */
      size_window: optional(z.tuple([integer.nullable(), integer.nullable()])),
      /** Ours: wire form, or a bare md5 of old. */
      checksum: optional(text),
      /** Ours: the last file of the page before; the next page begins behind it. */
      after: optional(z.object({ create_time: instant, name: text })),
    }),
    answer: z.array(foundFile),
    emptyReason: 'No files found.',
    mutates: false,
  }),
  error: endpoint({
    path: 'search/error',
    level: 'ADMIN',
    summary: 'Find recorded errors.',
    request: z.object({
      id: optional(integer),
      category: optional(errorCategory),
      severity: optional(errorSeverity),
      create_time_window: optional(instantWindow),
      include_resolved: boolean.default(false),
      max_results: maxResults,
    }),
    answer: z.array(
      z.object({
        id: z.int(),
        severity: errorSeverity,
        category: errorCategory,
        message: z.string(),
        raised_time: naive,
        cleared_time: naive.nullable(),
        cleared: z.boolean(),
        caller: z.string().nullable(),
      }),
    ),
    emptyReason: 'No errors found.',
    mutates: false,
  }),
  instanceLocal: endpoint({
    path: 'search/instance_local',
    level: 'ADMIN',
    summary: 'Find copies at this site.',
    request: z.object({
      id: optional(integer),
      path: optional(text),
      deletion_policy: optional(deletionPolicyFilter),
      created_time: optional(instant),
      file_name: optional(text),
      store_id: optional(integer),
      available: optional(boolean),
      max_results: maxResults,
    }),
    answer: z.array(localInstance),
    emptyReason: 'No instances found.',
    mutates: false,
  }),
  instanceRemote: endpoint({
    path: 'search/instance_remote',
    level: 'ADMIN',
    summary: 'Find copies that other librarians are known to hold.',
    request: z.object({
      id: optional(integer),
      file_name: optional(text),
      store_id: optional(integer),
      librarian_id: optional(integer),
      copy_time: optional(instant),
      sender: optional(text),
      max_results: maxResults,
    }),
    answer: z.array(remoteInstance),
    emptyReason: 'No instances found.',
    mutates: false,
  }),
}

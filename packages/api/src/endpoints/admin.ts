/** Stores, peers, and copies by their numbers (librarian 10.8). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { deletionPolicy } from '../values/deletion-policy.ts'
import { boolean, instant, integer, maxResults, naive, optional, path, text } from '../values/lax.ts'

type Store = { readonly store_name: string }
type Librarian = { readonly librarian_name: string }

const noStore = { status: 400, reason: (request: Store) => `Store ${request.store_name} does not exist.` }
const noLibrarian = {
  status: 400,
  reason: (request: Librarian) => `Librarian ${request.librarian_name} does not exist.`,
}

const instance = {
  request: z.object({
    instance_id: integer,
    /** Whether the bytes go as well, with the last local copy. */
    delete_file: optional(boolean),
  }),
  answer: z.object({ success: z.boolean(), instance_id: z.int() }),
  /** Real clients look for these words. */
  failures: { NotFound: { status: 400, reason: 'Instance does not exist.' } },
  failureFields: (request: { readonly instance_id: number }) => ({ success: false, instance_id: request.instance_id }),
} as const

const trashed = z.object({
  trash_id: z.string(),
  file_name: z.string(),
  store_name: z.string(),
  instance_path: z.string(),
  /** Who wanted it gone, and why. */
  deleted_by: z.string(),
  reason: z.string(),
  deleted_time: naive,
  /** From then on it may be purged, if enough good copies remain. */
  purge_time: naive,
})

/** A file on a store that is carried, and the transfer that was opened for it. */
export const manifestEntry = z.object({
  name: z.string(),
  create_time: naive,
  size: z.int(),
  checksum: z.string(),
  uploader: z.string(),
  source: z.string(),
  instance_path: z.string(),
  deletion_policy: deletionPolicy.told,
  instance_create_time: naive,
  /** Before it was marked. */
  instance_available: z.boolean(),
  /** −1: none was made. */
  outgoing_transfer_id: z.int(),
})

/** What `manifestEntry` gives. */
export type ManifestEntry = z.output<typeof manifestEntry>

export const admin = {
  addFile: endpoint({
    path: 'admin/add_file',
    level: 'ADMIN',
    summary: 'Register a file that is in a store already.',
    request: z.object({
      name: text,
      create_time: instant,
      size: integer,
      checksum: text,
      uploader: text,
      source: text,
      path,
      store_name: text,
    }),
    answer: z.object({
      already_exists: z.boolean().default(false),
      file_exists: z.boolean().default(false),
      success: z.boolean().default(false),
    }),
    failures: {
      UnknownStore: noStore,
      StagedNotFound: {
        status: 400,
        reason: request => `File ${request.path} does not exist.`,
        remedy: 'Create the file first, or make sure that you are using a local store.',
      },
      Unacceptable: { status: 400 },
      Mismatch: { status: 400 },
    },
    mutates: true,
  }),
  storesList: endpoint({
    path: 'admin/stores/list',
    level: 'ADMIN',
    summary: 'List the stores.',
    request: z.object({}),
    bodyIsOptional: true,
    answer: z.array(
      z.object({
        name: z.string(),
        /** `local` at real librarians. */
        store_type: z.string(),
        /** −1: unavailable. */
        free_space: z.int(),
        ingestable: z.boolean(),
        available: z.boolean(),
        enabled: z.boolean(),
        /** Of ours: why it is not available, and what to do about it. */
        reason: z.string().optional(),
        remedy: z.string().optional(),
      }),
    ),
    mutates: false,
  }),
  storesStateChange: endpoint({
    path: 'admin/stores/state_change',
    level: 'ADMIN',
    summary: 'Switch a store on or off.',
    request: z.object({ store_name: text, enabled: boolean }),
    answer: z.object({ store_name: z.string(), enabled: z.boolean(), success: z.boolean() }),
    failures: { UnknownStore: noStore },
    mutates: true,
  }),
  storesManifest: endpoint({
    path: 'admin/stores/manifest',
    level: 'ADMIN',
    summary: 'List all copies on a store, as a carried disk takes it along.',
    request: z.object({
      store_name: text,
      create_outgoing_transfers: boolean.default(false),
      destination_librarian: text.default(''),
      disable_store: boolean.default(false),
      mark_local_instances_as_unavailable: boolean.default(false),
    }),
    answer: z.object({ librarian_name: z.string(), store_name: z.string(), store_files: z.array(manifestEntry) }),
    failures: {
      UnknownStore: noStore,
      UnknownLibrarian: {
        status: 400,
        reason: request => `Librarian ${request.destination_librarian} does not exist.`,
      },
    },
    mutates: true,
  }),
  librariansList: endpoint({
    path: 'admin/librarians/list',
    level: 'ADMIN',
    summary: 'List the other librarians.',
    request: z.object({ ping: boolean.default(true) }),
    answer: z.object({
      librarians: z.array(
        z.object({
          name: z.string(),
          url: z.string(),
          port: z.int(),
          /** Null: nobody asked it. */
          available: z.boolean().nullable(),
          enabled: z.boolean(),
          /** Of ours: since when it refuses our account there, so that nothing is sent; null: it does not. */
          refused_since: naive.nullable().optional(),
        }),
      ),
    }),
    mutates: false,
  }),
  librariansAdd: endpoint({
    path: 'admin/librarians/add',
    level: 'ADMIN',
    summary: 'Make another librarian known.',
    request: z.object({
      librarian_name: text,
      url: text,
      port: integer,
      /** `user:password` at the other one. */
      authenticator: text,
      check_connection: boolean.default(true),
      /** Of ours: with `check_connection`, logs in there too; an account that it refuses is not kept. */
      check_account: boolean.default(false),
    }),
    answer: z.object({
      success: z.boolean(),
      already_exists: z.boolean(),
      /** Null: not checked. */
      ping_success: z.boolean().nullable(),
      /** Of ours: why nothing was added, for a person. */
      problem: z.string().optional(),
    }),
    mutates: true,
  }),
  librariansRemove: endpoint({
    path: 'admin/librarians/remove',
    level: 'ADMIN',
    summary: 'Forget another librarian.',
    request: z.object({ librarian_name: text, remove_outgoing_transfers: boolean.default(false) }),
    answer: z.object({ success: z.boolean(), number_of_transfers_removed: z.int() }),
    failures: { UnknownLibrarian: noLibrarian },
    mutates: true,
  }),
  transferStatusChange: endpoint({
    path: 'admin/librarians/transfer_status/change',
    aliases: ['admin/librarians/transfer_status/set'],
    level: 'ADMIN',
    summary: 'Pause or resume sending to another librarian.',
    request: z.object({ librarian_name: text, transfers_enabled: boolean }),
    answer: z.object({ librarian_name: z.string(), transfers_enabled: z.boolean() }),
    failures: { UnknownLibrarian: noLibrarian },
    mutates: true,
  }),
  instanceDeleteLocal: endpoint({
    path: 'admin/instance/delete_local',
    level: 'ADMIN',
    summary: 'Delete a copy at this site.',
    ...instance,
    mutates: true,
  }),
  instanceDeleteRemote: endpoint({
    path: 'admin/instance/delete_remote',
    level: 'ADMIN',
    summary: 'Forget a copy at another librarian.',
    ...instance,
    mutates: true,
  }),
  trashList: endpoint({
    path: 'admin/trash/list',
    level: 'ADMIN',
    summary: 'List deleted copies that can be restored, oldest first.',
    request: z.object({
      store_name: optional(text),
      /** The `next` of the page before. */
      after: optional(text),
      max_results: maxResults,
    }),
    answer: z.object({
      trash: z.array(trashed),
      /** For `after` of the next page; null: there is none. */
      next: z.string().nullable(),
    }),
    failures: { UnknownStore: { status: 400 } },
    mutates: false,
    isOurs: true,
  }),
  trashRestore: endpoint({
    path: 'admin/trash/restore',
    level: 'ADMIN',
    summary: 'Bring a deleted copy back under its name, and read it.',
    request: z.object({ trash_id: text }),
    answer: z.object({
      success: z.boolean(),
      file_name: z.string(),
      /** As before it was deleted. */
      instance_id: z.int(),
      /** As the copy was found: anything but `ok` is not served. */
      state: z.string(),
    }),
    mutates: true,
    isOurs: true,
  }),
}

/** SQL of rows that tests begin with. Both databases read it. */
const time = (n: number) => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`
const hex = (n: number) => n.toString(16).padStart(64, '0')

export interface FileRow {
  readonly at?: string
  readonly size?: number
  readonly uploader?: string
  readonly source?: string
  readonly checksum?: string
}

export const insertFile = (name: string, n = 1, row: FileRow = {}) =>
  `INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source)
   VALUES ('${name}', '${row.at ?? time(n)}', ${row.size ?? n}, '${row.checksum ?? `xxh3:::${n}`}', '${hex(n)}', 'file', 1,
           '${row.uploader ?? 'ada'}', '${row.source ?? 'site'}')`

export const insertStore = (id: number) =>
  `INSERT INTO store (id, name, ingestable, store_type, store_data, transfer_manager_data)
   VALUES (${id}, 'store-${id}', 1, 'local', '{}', '{}')`

export const insertInstance = (file: string, store: number, n = 1) =>
  `INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state)
   VALUES ('/s${store}/${file}', '${file}', ${store}, 'DISALLOWED', '${time(n)}', 1, 'ok')`

export const insertPeer = (id: number) =>
  `INSERT INTO peer (id, name, url, port, authenticator, last_seen, last_heard)
   VALUES (${id}, 'peer-${id}', 'https://peer', 443, 'gAAAA-secret', '${time(1)}', '${time(1)}')`

export const insertRemote = (file: string, peer: number, store = 1) =>
  `INSERT INTO remote_instance (file_name, store_id, librarian_id, copy_time, sender)
   VALUES ('${file}', ${store}, ${peer}, '${time(store)}', 'here')`

export const insertIncoming = (token: string, status = 'INITIATED', sourceTransfer: number | null = null) =>
  `INSERT INTO incoming_transfer (status, uploader, upload_name, source, transfer_size, transfer_checksum, start_time, store_path,
     deletion_policy, token, source_transfer_id)
   VALUES ('${status}', 'ada', 'f', 'far', 1, 'xxh3:::1', '${time(1)}', 'f', 'DISALLOWED', '${token}', ${sourceTransfer})`

export const insertOutgoing = (status = 'INITIATED') =>
  `INSERT INTO outgoing_transfer (status, destination, transfer_size, transfer_checksum, start_time, instance_id)
   VALUES ('${status}', 'far', 1, 'xxh3:::1', '${time(1)}', 1)`

export const insertClone = (status = 'INITIATED') =>
  `INSERT INTO clone_transfer (status, start_time, source_store_id, destination_store_id, source_instance_id)
   VALUES ('${status}', '${time(1)}', 1, 1, 1)`

export const insertProof = () =>
  `INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome)
   VALUES (1, 'a', 1, '${time(1)}', 'medium', 'here', 'ok')`

export const insertJob = (status = 'queued') =>
  `INSERT INTO job (id, kind, owner, status, request, created) VALUES ('j', 'ingest', 'ada', '${status}', '{}', '${time(1)}')`

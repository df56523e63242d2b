import type { ClientBase } from 'pg'

/** What must hold of the server (reliability 8.5), and what should. */
export async function checkServer(client: ClientBase): Promise<{ problems: string[]; warnings: string[] }> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
            current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_encoding') AS encoding,
            current_setting('server_version_num') AS version, current_setting('data_checksums') AS data_checksums,
            pg_is_in_recovery()::text AS is_replica`,
  )
  const is = rows[0]!
  const problems: string[] = []
  const must = (holds: boolean, what: string) => holds || problems.push(what)
  must(is.fsync === 'on', `fsync must be on, and is ${is.fsync}`)
  must(is.full_page_writes === 'on', `full_page_writes must be on, and is ${is.full_page_writes}`)
  must(
    is.synchronous_commit === 'on' || is.synchronous_commit === 'remote_apply',
    `synchronous_commit must be on, and is ${is.synchronous_commit}`,
  )
  must(is.is_replica === 'false', 'it must be the primary, and is a replica')
  must(is.encoding === 'UTF8', `its encoding must be UTF8, and is ${is.encoding}`)
  must(Number(is.version) >= 140_000, `its version must be at least 14, and is ${is.version}`)
  const warnings = is.data_checksums === 'on' ? [] : ['it has no data checksums, so damage on its disk may go unseen']
  return { problems, warnings }
}

import type { Definitions } from '../../definitions.ts'

/** Tables under the names and with the columns of librarian 3, for people's own SQL and dashboards (librarian 16). */
export function views(define: Definitions): string[] {
  const { naive, flag } = define
  const time = (column: string) => `${naive(column)} AS ${column}`
  const bit = (column: string) => `${flag(column)} AS ${column}`
  const view = (name: string, table: string, ...columns: string[]) =>
    define.view(name, `SELECT ${columns.join(', ')} FROM ${table}`)
  const plain = (text: string) => text.split(' ')

  return [
    view('files', 'file', 'name', time('create_time'), ...plain('size checksum uploader source')),
    view(
      'instances',
      'instance',
      ...plain('id path file_name store_id deletion_policy'),
      time('created_time'),
      bit('available'),
      ...plain('calculated_checksum calculated_size'),
      time('checksum_time'),
    ),
    view(
      'remote_instances',
      'remote_instance',
      ...plain('id file_name store_id librarian_id'),
      time('copy_time'),
      'sender',
    ),
    view(
      'store_metadata',
      'store',
      ...plain('id name'),
      bit('ingestable'),
      bit('enabled'),
      `CASE store_type WHEN 'core' THEN 0 WHEN 'local' THEN 1 ELSE 2 END AS store_type`,
      ...plain('store_data transfer_manager_data async_transfer_manager_data'),
    ),
    view(
      'incoming_transfers',
      'incoming_transfer',
      ...plain('id status uploader upload_name source transfer_size transfer_checksum store_id transfer_manager_name'),
      time('start_time'),
      time('end_time'),
      ...plain('staging_path store_path transfer_data source_transfer_id'),
    ),
    view(
      'outgoing_transfers',
      'outgoing_transfer',
      ...plain('id status destination transfer_size transfer_checksum'),
      time('start_time'),
      time('end_time'),
      ...plain('file_name instance_id remote_transfer_id transfer_manager_name transfer_data send_queue_id'),
      ...plain('source_path dest_path'),
    ),
    view(
      'clone_transfers',
      'clone_transfer',
      ...plain('id status'),
      time('start_time'),
      time('end_time'),
      ...plain('source_store_id destination_store_id transfer_manager_name source_instance_id destination_instance_id'),
    ),
    view(
      'send_queue',
      'send_item',
      ...plain('id priority'),
      time('created_time'),
      ...plain('retries destination async_transfer_manager'),
      bit('consumed'),
      time('consumed_time'),
      bit('completed'),
      time('completed_time'),
      bit('failed'),
    ),
    view(
      'completed_transfers',
      'completed_transfer',
      ...plain('id task_id source_endpoint_id destination_endpoint_id'),
      time('start_time'),
      time('end_time'),
      ...plain('duration_seconds bytes_transferred effective_bandwidth_bps'),
    ),
    view(
      'librarians',
      'peer',
      ...plain('id name url port'),
      `'***' AS authenticator`,
      bit('transfers_enabled'),
      time('last_seen'),
      time('last_heard'),
    ),
    view('users', 'account', 'username', `'***' AS auth_token`, 'auth_level'),
    view(
      'errors',
      'error',
      ...plain('id severity category message'),
      time('raised_time'),
      time('cleared_time'),
      bit('cleared'),
      'caller',
    ),
    view(
      'corrupt_files',
      'corrupt_file',
      ...plain('id file_name file_source instance_id instance_path'),
      time('corrupt_time'),
      ...plain('size checksum count'),
      bit('replacement_requested'),
      'incoming_transfer_id',
    ),
  ].flat()
}

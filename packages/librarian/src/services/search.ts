/** Searches of the wire (librarian 10.5): newest first, never more than the server's own limit. */
import type { AnswerInput, endpoints, RequestOf } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { FileRecord, InstanceRecord } from '../catalogue/operations/files.ts'
import type { RemoteInstanceRecord } from '../catalogue/operations/instances.ts'

type Endpoints = typeof endpoints.search
type Results<Name extends keyof Endpoints> = AnswerInput<Endpoints[Name]>
type Question<Name extends keyof Endpoints> = RequestOf<Endpoints[Name]>

export interface Search {
  files(question: Question<'file'>): Promise<Results<'file'>>
  errors(question: Question<'error'>): Promise<Results<'error'>>
  localInstances(question: Question<'instanceLocal'>): Promise<Results<'instanceLocal'>>
  remoteInstances(question: Question<'instanceRemote'>): Promise<Results<'instanceRemote'>>
}

export function createSearch({
  catalogue,
  maxResults,
}: {
  catalogue: Pick<Catalogue, 'files' | 'errors' | 'instances'>
  maxResults: number
}): Search {
  const limitOf = (asked: number) => Math.max(0, Math.min(asked, maxResults))
  return {
    async files(question) {
      const { files } = await catalogue.files.search({
        name: question.name,
        glob: question.name_glob,
        uploader: question.uploader,
        source: question.source,
        checksum: question.checksum,
        createTimeWindow: question.create_time_window,
        sizeWindow: question.size_window && [
          question.size_window[0] ?? 0,
          question.size_window[1] ?? Number.MAX_SAFE_INTEGER,
        ],
        after: question.after,
        limit: limitOf(question.max_results),
      })
      return files.map(toFile)
    },

    async errors({ max_results, create_time_window, include_resolved, ...exact }) {
      const limit = limitOf(max_results)
      const found = await catalogue.errors.search({
        ...exact,
        window: create_time_window,
        includeResolved: include_resolved,
        limit,
      })
      return found.map(({ raisedTime, clearedTime, ...rest }) => ({
        ...rest,
        raised_time: raisedTime,
        cleared_time: clearedTime,
      }))
    },

    async localInstances({ max_results, available, ...exact }) {
      const found = await catalogue.instances.searchLocal({
        ...exact,
        available: available === undefined ? undefined : available ? 1 : 0,
        limit: limitOf(max_results),
      })
      return found.map(toLocalInstance)
    },

    async remoteInstances({ max_results, ...exact }) {
      const found = await catalogue.instances.searchRemote({ ...exact, limit: limitOf(max_results) })
      return found.map(toRemoteInstance)
    },
  }
}

function toFile(file: FileRecord): Results<'file'>[number] {
  return {
    name: file.name,
    create_time: file.create_time,
    size: file.size,
    checksum: file.checksum,
    uploader: file.uploader,
    source: file.source,
    instances: file.instances.map(toLocalInstance),
    remote_instances: file.remote_instances.map(toRemoteInstance),
    first_uploader: file.first_uploader,
    sha256: file.sha256,
    kind: file.kind,
    is_attested: file.is_attested === 1,
  }
}

function toLocalInstance(instance: InstanceRecord): Results<'instanceLocal'>[number] {
  return {
    path: instance.path,
    deletion_policy: instance.deletion_policy,
    created_time: instance.created_time,
    available: instance.available === 1,
    id: instance.id,
    file_name: instance.file_name,
    store_id: instance.store_id,
    state: instance.state,
    state_time: instance.bad_since ?? instance.checksum_time,
  }
}

function toRemoteInstance(remote: RemoteInstanceRecord): Results<'instanceRemote'>[number] {
  return {
    librarian_name: remote.librarian_name,
    copy_time: remote.copy_time,
    id: remote.id,
    file_name: remote.file_name,
    store_id: remote.store_id,
    sender: remote.sender,
  }
}

/** A file's page. */
import { type AnswerInput, endpoints } from '@arriero/api'
import type {
  DescribedCopy,
  DescribedRemote,
  DescribeFile,
  FileDescription,
} from '../../services/dashboard/describe-file.ts'
import { type Route, route } from '../route.ts'

type FileAnswer = AnswerInput<typeof endpoints.dashboard.file>

export function dashboardFileRoute(describeFile: DescribeFile): Route {
  return route(endpoints.dashboard.file, async ({ file_name }, { caller }) => {
    const isAdmin = caller.level === 'ADMIN'
    const description = await describeFile(file_name, { isAdmin })
    return {
      file: fileAnswer(description),
      instances: description.copies.map(copy => copyAnswer(copy, isAdmin)),
      remote: description.remote.map(remoteAnswer),
      history: [...description.events],
    }
  })
}

function fileAnswer({ file, proposal }: FileDescription): FileAnswer['file'] {
  return {
    file_name: file.name,
    size: file.size,
    create_time: file.create_time,
    uploader: file.uploader,
    source: file.source,
    checksum: file.checksum,
    sha256: file.sha256,
    kind: file.kind,
    is_attested: file.is_attested === 1,
    first_uploader: file.first_uploader,
    proposed_destruction: proposal ? proposalAnswer(proposal) : null,
  }
}

function proposalAnswer({ id, reason, proposedBy, proposedTime, endTime }: NonNullable<FileDescription['proposal']>) {
  return {
    destruction_id: id,
    reason,
    proposed_by: proposedBy,
    proposed_time: proposedTime,
    end_time: endTime,
  }
}

function copyAnswer({ copy, storeName, proof }: DescribedCopy, isAdmin: boolean): FileAnswer['instances'][number] {
  return {
    instance_id: copy.id,
    store_name: storeName,
    path: isAdmin ? copy.path : null,
    created_time: copy.created_time,
    state: copy.state,
    available: copy.available === 1,
    deletion_policy: copy.deletion_policy,
    proof: proof ? { time: proof.time, medium: proof.medium, by: proof.by, outcome: proof.outcome } : null,
  }
}

function remoteAnswer({ copy, proof, reachable }: DescribedRemote): FileAnswer['remote'][number] {
  return {
    librarian_name: copy.librarian_name,
    store_id: copy.store_id,
    time: copy.copy_time,
    sender: copy.sender,
    proof: proof ? { time: proof.time, medium: proof.medium, by: copy.librarian_name, outcome: proof.outcome } : null,
    reachable,
  }
}

import type { AnswerOf, endpoints } from '@arriero/api'
import { levels } from '@arriero/api'
import { useState } from 'preact/hooks'
import { dataUrl } from '../../api/client.ts'
import { Button } from '../../components/button.tsx'
import { Facts, PageHead, Section } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Bytes, None, Time } from '../../components/texts.tsx'
import type { PageProps } from '../../pages.ts'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { Copies } from './copies.tsx'
import { DeleteCopy } from './delete-copy.tsx'
import { Destroy, Proposed } from './destroy.tsx'
import { Digests } from './digests.tsx'
import { History } from './history.tsx'
import { RemoteCopies } from './remote-copies.tsx'
import { Validation } from './validation.tsx'

export type FileAnswer = AnswerOf<typeof endpoints.dashboard.file>

/** All that is known of one file, and what can be done with it. */
export default function FilePage({ rest: name }: PageProps) {
  const { api } = useServices()
  const answer = useAnswer(signal => api.dashboard.file({ file_name: name }, { signal }), [name], {
    topics: ['transfers'],
  })
  return (
    <>
      <PageHead title={name} tab={`${name} · Arriero`}>
        <a class="button" href={dataUrl(name)} download>
          {answer.data?.file.kind === 'tree' ? 'List of members' : 'Download'}
        </a>
      </PageHead>
      {answer.error && <Problem error={answer.error} again={answer.again} />}
      {answer.data ? <Parts of={answer.data} again={answer.again} /> : !answer.error && <p class="loading">Loading…</p>}
    </>
  )
}

interface PartsProps {
  readonly of: FileAnswer
  /** Asks for it anew, after something was done. */
  readonly again: () => void
}

function Parts({ of: { file, instances, remote, history }, again }: PartsProps) {
  const isAdmin = useLevel() >= levels.ADMIN
  const [deletesFrom, setDeletesFrom] = useState<string>()
  const [destroys, setDestroys] = useState(false)
  const close = () => {
    setDeletesFrom(undefined)
    setDestroys(false)
    again()
  }
  return (
    <>
      {file.proposed_destruction && (
        <Proposed name={file.file_name} proposal={file.proposed_destruction} again={again} />
      )}
      <Section title={file.kind === 'tree' ? 'Directory' : 'File'}>
        <Facts
          of={[
            ['Size', <Bytes key="size" of={file.size} />],
            ['Created', <Time key="created" at={file.create_time} />],
            ['Uploader', file.uploader],
            ['First uploader', file.first_uploader ?? <None key="first" why="the same" />],
            ['Source', file.source],
          ]}
        />
        <Digests file={file} />
      </Section>
      <Section title="Copies here">
        <Copies instances={instances} onDelete={isAdmin ? setDeletesFrom : undefined} />
        <Validation name={file.file_name} again={again} />
      </Section>
      <Section title="Copies elsewhere">
        <RemoteCopies remote={remote} />
      </Section>
      <Section title="History" note="newest first">
        <History history={history} />
      </Section>
      {isAdmin && !file.proposed_destruction && instances.length > 0 && (
        <Section title="Destroy the file">
          <p>All copies at this site go, whatever remains elsewhere. Another administrator must confirm it.</p>
          <Button kind="danger" onPress={() => setDestroys(true)}>
            Propose to destroy…
          </Button>
        </Section>
      )}
      {deletesFrom !== undefined && (
        <DeleteCopy name={file.file_name} store={deletesFrom} onClose={close} onUndone={again} />
      )}
      {destroys && <Destroy name={file.file_name} instances={instances} remote={remote} onClose={close} />}
    </>
  )
}

import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { useServices } from '../../services.ts'
import { useStore } from '../../state/use-store.ts'
import { formatBytes, formatCount, formatFiles } from '../../text/bytes.ts'
import { isUnderWay, type UploadItem } from '../../uploads/uploads.ts'
import { Choice } from './choice.tsx'
import { ItemTable } from './item-table.tsx'

/** Files from this machine, by dropping or choosing them. */
export default function UploadPage() {
  const { uploads } = useServices()
  const items = useStore(uploads.items)
  const [folder, setFolder] = useState('')
  return (
    <>
      <PageHead title="Upload" />
      <Section title="Bring files in">
        <label class="folder">
          <span>Folder at the librarian, before each name; may be empty</span>
          <input
            value={folder}
            placeholder="night-1"
            autoComplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={event => setFolder(event.currentTarget.value)}
          />
        </label>
        <Choice onFiles={files => uploads.add(files, folder)} />
        <p class="soft">
          Each file is read first for its digest, then sent. What breaks off goes on where it was; after this page was
          loaded again, choose the same file once more. A file is kept only if its bytes gave the same digest at the
          librarian, and never changes from then on.
        </p>
      </Section>
      {items.length > 0 && (
        <Section title="On their way" note={<Counts of={items} />}>
          <ItemTable items={items} />
          {items.some(item => !isUnderWay(item)) && (
            <Button onPress={uploads.clear}>Clear those that have ended</Button>
          )}
        </Section>
      )}
    </>
  )
}

function Counts({ of: items }: { readonly of: readonly UploadItem[] }) {
  const count = (phase: UploadItem['phase']) => items.filter(item => item.phase === phase).length
  const left = items.filter(isUnderWay)
  const bytes = left.reduce((sum, { size }) => sum + size, 0)
  const texts = [
    left.length > 0 && `${formatFiles(left.length)} to go (${formatBytes(bytes)})`,
    `${formatCount(count('kept'))} kept`,
    count('failed') > 0 && `${formatCount(count('failed'))} failed`,
  ]
  return <span role="status">{texts.filter(text => text !== false).join(' · ')}</span>
}

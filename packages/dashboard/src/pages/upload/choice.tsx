import { LibrarianError } from '@arriero/api'
import { useRef, useState } from 'preact/hooks'
import { useServices } from '../../services.ts'

/** Where files are dropped; its button opens the browser’s own choice. */
export function Choice({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const { toasts } = useServices()
  const field = useRef<HTMLInputElement>(null)
  const [isOver, setOver] = useState(false)
  const over = (event: DragEvent) => {
    event.preventDefault()
    setOver(true)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const { files, directories } = contentOf(event.dataTransfer)
    onFiles(files)
    if (directories.length > 0) toasts.fail(noDirectories(directories))
  }
  const choose = () => {
    onFiles([...(field.current?.files ?? [])])
    // The same file can be chosen again.
    field.current!.value = ''
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same.
    <div class={isOver ? 'drop over' : 'drop'} onDragOver={over} onDragLeave={() => setOver(false)} onDrop={drop}>
      <p>Drop files here, or</p>
      <button type="button" class="button main" onClick={() => field.current?.click()}>
        Choose files
      </button>
      <input ref={field} type="file" multiple hidden aria-label="Files" onChange={choose} />
    </div>
  )
}

function contentOf(transfer: DataTransfer | null): { readonly files: File[]; readonly directories: string[] } {
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file')
  const entries = items.map(item => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry() }))
  return {
    files: entries.flatMap(({ file, entry }) => (file && !entry?.isDirectory ? [file] : [])),
    directories: entries.flatMap(({ entry }) => (entry?.isDirectory ? [entry.name] : [])),
  }
}

function noDirectories(names: readonly string[]): LibrarianError {
  return new LibrarianError('Unacceptable', `Cannot take directories here: ${names.join(', ')}`, {
    remedy: 'Drop the files in them, or use the program: arriero upload takes a directory as one.',
  })
}

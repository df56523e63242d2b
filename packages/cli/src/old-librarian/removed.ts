/** Commands that the older program still parsed but had given up: what took their place (librarian 14.2). */
export const removed: Readonly<Record<string, string>> = {
  'add-file-event': 'Files have no events any more.',
  'add-obs': 'Use `arriero upload`.',
  'assign-sessions': 'Sessions are not tracked any more.',
  'copy-metadata': 'What is known of a file travels with it, by the librarian’s tasks.',
  'delete-files': 'Clients delete nothing; the librarian’s own rules do.',
  'initiate-offload': 'Moving between stores is a task of the librarian.',
  'launch-copy': 'Copies between librarians are a task of the librarian.',
  'offload-helper': 'Moving between stores is a task of the librarian.',
  'set-file-deletion-policy': 'The policy is given with the upload.',
  'stage-files': 'Use `arriero download`.',
}

/** Scripts look for the class. */
export function removedText(what: string, hint: string): string {
  return `hera_librarian.exceptions.LibrarianClientRemovedFunctionality: ${what} is no more. ${hint}`
}

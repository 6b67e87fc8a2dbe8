/**
 * The wire contract as `src/protocol` defines it: generated, do not edit. After a change there run
 *
 *     make contract
 */

/** The protocol versions that both sides speak, oldest first. */
export const VERSIONS = Object.freeze([1]);
/** The WebSocket subprotocol, the same in all versions. */
export const SUBPROTOCOL = 'bproxy.v1';
/** The daemon's port, where no other is set. */
export const DEFAULT_PORT = 9615;

/** Bounds that both sides rely on. */
export const LIMITS = Object.freeze({
  /** The longest id of a command, in characters. */
  idChars: 128,
  /** How far in the future a command's deadline may lie, in ms. */
  deadlineMs: 600000,
  /** How many commands there may be between admission and answer. */
  pending: 100,
  /** The largest answer, in bytes of UTF-8. */
  answerBytes: 16777216,
  /** How many numbers of each kind of handle are reserved for a command. */
  numbers: 1000,
  /** How long a pairing code is valid, in ms. */
  pairingCodeMs: 300000,
});

/**
 * The codes that a failure may have.
 * @typedef {'NO_EXTENSION'
 *   | 'TIMEOUT'
 *   | 'OVERLOADED'
 *   | 'SESSION_REQUIRED'
 *   | 'HUMAN_REQUIRED'
 *   | 'PERSON_REQUIRED'
 *   | 'DEBUGGER_DISABLED'
 *   | 'INVALID_SESSION_ID'
 *   | 'SESSION_NOT_FOUND'
 *   | 'TAB_NOT_FOUND'
 *   | 'TAB_HANDLE_NOT_FOUND'
 *   | 'TAB_NOT_IN_SESSION'
 *   | 'ELEMENT_NOT_FOUND'
 *   | 'ELEMENT_NOT_ACTIONABLE'
 *   | 'SELECTOR_AMBIGUOUS'
 *   | 'ELEMENT_HANDLE_NOT_FOUND'
 *   | 'ELEMENT_HANDLE_STALE'
 *   | 'ELEMENT_HANDLE_SCOPE_MISMATCH'
 *   | 'FILE_NOT_FOUND'
 *   | 'FRAME_NOT_FOUND'
 *   | 'SCRIPT_ERROR'
 *   | 'NAVIGATION_FAILED'
 *   | 'PAGE_CHANGED'
 *   | 'OUTCOME_UNKNOWN'
 *   | 'PAGE_BLOCKED'
 *   | 'TOO_LARGE'
 *   | 'STORAGE_FULL'
 *   | 'TAB_NOT_VISIBLE'} ErrorCode
 */

/**
 * Names one element, in exactly one of these ways. The daemon replaces a handle that stands for a target before it forwards a command.
 * @typedef {{ frame?: string, selector: string } | { frame?: string, route: { hosts: { index?: number, selector: string }[], target: string } } | { handle: string } | { find: { exact?: boolean, label?: string, name?: string, nth?: number, placeholder?: string, role?: string, testId?: string, text?: string }, frame?: string }} Target
 */

/**
 * A place in an element's box: 0 is its left or top edge, 1 the right or bottom one.
 * @typedef {{ x: number, y: number }} Spot
 */

/**
 * One field to fill, and how.
 * @typedef {{ blur?: boolean, method?: 'auto' | 'direct' | 'paste' | 'runtime-api', private?: boolean, target: Target, value: string, world?: 'isolated' | 'main' }} Field
 */

/**
 * How the dialogs that an act calls up are answered.
 * @typedef {{ answer: 'accept' | 'dismiss', text?: string }} Dialog
 */

/**
 * A read to bring along, once the page has come to rest.
 * @typedef {{ action: 'snapshot' | 'text' | 'find' | 'elements' | 'links' | 'table', params?: Record<string, unknown> }} Then
 */

/**
 * Why a read that was brought along failed.
 * @typedef {{ code: string, message: string, suggestedAction?: string }} ThenError
 */

/**
 * What came of an act, as far as it was seen.
 * @typedef {{ blocked?: string[], dialogs?: { answer: string, message: string, type: 'alert' | 'confirm' | 'prompt' | 'print' }[], downloads?: { name: string, state: string }[], focus?: { handle?: string, name: string, role: string }, navigated?: string, opened?: { flashed?: boolean, tab?: string, url: string }[], scrolled?: number }} Effects
 */

/**
 * @typedef {object} TabOpenParams `tab.open`
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 * @property {'load' | 'parsed' | 'committed'} [until] How far the page has to come before the answer; `load` if absent, for 10 s at most.
 * @property {string} url The address to open.
 * @property {'current' | 'own'} [window] Where the tab opens: `current`, in the background of the person's window, if absent.
 */

/**
 * @typedef {object} TabCloseParams `tab.close`
 * @property {string} [tab] The tab to close; the session's bound tab if absent.
 */

/**
 * @typedef {object} TabPinParams `tab.pin`
 * @property {string} [tab] The tab to pin; the session's bound tab if absent.
 */

/**
 * @typedef {object} TabUnpinParams `tab.unpin`
 * @property {string} [tab] The tab to unpin; the session's bound tab if absent.
 */

/**
 * @typedef {object} TabActivateParams `tab.activate`
 * @property {string} [tab] The tab to activate; the session's bound tab if absent.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} NavigateParams `navigate`
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 * @property {'load' | 'parsed' | 'committed'} [until] How far the page has to come before the answer; `load` if absent, for 10 s at most.
 * @property {string} url The address to go to.
 */

/**
 * @typedef {object} NavigateData `navigate`
 * @property {number} loadTime How long it took to load, in milliseconds.
 * @property {number} [status] The HTTP status, if the browser reports it.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {string} title The page's title.
 * @property {string} url The tab's address now.
 */

/**
 * @typedef {object} BackParams `back`
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} BackData `back`
 * @property {number} loadTime How long it took to load, in milliseconds.
 * @property {number} [status] The HTTP status, if the browser reports it.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {string} title The page's title.
 * @property {string} url The tab's address now.
 */

/**
 * @typedef {object} ForwardParams `forward`
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} ForwardData `forward`
 * @property {number} loadTime How long it took to load, in milliseconds.
 * @property {number} [status] The HTTP status, if the browser reports it.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {string} title The page's title.
 * @property {string} url The tab's address now.
 */

/**
 * @typedef {object} ReloadParams `reload`
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} ReloadData `reload`
 * @property {number} loadTime How long it took to load, in milliseconds.
 * @property {number} [status] The HTTP status, if the browser reports it.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {string} title The page's title.
 * @property {string} url The tab's address now.
 */

/**
 * @typedef {object} WaitParams `wait`
 * @property {string} [frame] The frame to look in; the page with all its frames if absent.
 * @property {{ strategy: 'selector' | 'url' | 'navigation' | 'text' | 'text-gone' | 'gone' | 'enabled' | 'stable' | 'idle' | 'download', target?: string }[]} [or] What will do as well, at most 4 more.
 * @property {'selector' | 'url' | 'navigation' | 'text' | 'text-gone' | 'gone' | 'enabled' | 'stable' | 'idle' | 'download'} strategy What to wait for.
 * @property {string} [target] The selector; the address, or a pattern of one such as `*\/done`; the text; or a part of the file's name. Only `stable`, `idle` and `download` can do without.
 * @property {number} [timeout] How long to wait, in milliseconds.
 */

/**
 * @typedef {object} WaitData `wait`
 * @property {{ bytes: number, name: string }} [download] The file that is complete.
 * @property {number} elapsed How long the wait took, in milliseconds.
 * @property {boolean} matched Always true: a wait that is not met in time fails with `TIMEOUT`.
 * @property {number} [which] Which of several it was, from 0.
 */

/**
 * @typedef {object} TextParams `text`
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {boolean} [hidden] Also what a person cannot see.
 * @property {string} [selector] The part of the page to read; all of it if absent.
 */

/**
 * @typedef {object} TextData `text`
 * @property {string} text The text, as a reader sees it.
 */

/**
 * @typedef {object} LinksParams `links`
 * @property {string} [contains] Only links whose text contains this, whatever its case.
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {string} [hrefContains] Only links whose address contains this.
 * @property {number} [limit] The most links to return.
 * @property {number} [offset] How many links to skip first.
 * @property {string} [selector] The part of the page to read.
 * @property {boolean} [targets] Whether to give selectors beside handles; true if absent.
 * @property {boolean} [visibleOnly] Leave out invisible links.
 */

/**
 * @typedef {object} LinksData `links`
 * @property {boolean} [capped] Whether there are more than an answer holds.
 * @property {{ frame?: string, handle?: string, href: string, rel?: string, target?: Target, text: string, title?: string, visible?: boolean }[]} links The links, in the order of the document.
 * @property {number} total How many links match, listed or not.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} ImagesParams `images`
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {string} [selector] The part of the page to read; all of it if absent.
 */

/**
 * @typedef {object} ImagesData `images`
 * @property {boolean} [capped] Whether there are more than an answer holds.
 * @property {{ alt: string, frame?: string, height: number, src: string, width: number }[]} images The images, in the order of the document.
 * @property {number} [total] How many images there are, listed or not; an older extension does not count them.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} ElementsParams `elements`
 * @property {string} [contains] Only controls whose label, value or placeholder contains this, whatever its case.
 * @property {boolean} [form] Only the controls of forms.
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {boolean} [hidden] Also what a person cannot see.
 * @property {number} [limit] The most controls to return.
 * @property {number} [offset] How many controls to skip first.
 * @property {string} [role] Only controls of this accessible role, such as `button`.
 * @property {boolean} [targets] Whether to give selectors beside handles; true if absent.
 */

/**
 * @typedef {object} ElementsData `elements`
 * @property {boolean} [capped] Whether there are more than an answer holds.
 * @property {{ disabled?: boolean, frame?: string, handle?: string, hasShadowRoot?: boolean, label?: string, options?: string[], placeholder?: string, required?: boolean, role?: string, route?: { hosts: { index?: number, selector: string }[], target: string }, runtimeHandle?: string, selector?: string, tag: string, type?: string, value?: string, visible?: boolean }[]} elements The controls, in the order of the document.
 * @property {number} [total] How many controls there are, listed or not; an older extension does not count them.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} OutlineParams `outline`
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 */

/**
 * @typedef {object} OutlineData `outline`
 * @property {{ frame?: string, level: number, text: string }[]} headings The headings, in the order of the document.
 * @property {{ frame?: string, label?: string, role: string, tag: string }[]} landmarks The landmarks, in the order of the document.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} DomParams `dom`
 * @property {number} [depth] How many levels deep.
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {string} [selector] The part of the page to read.
 */

/**
 * @typedef {object} DomData `dom`
 * @property {string} html The HTML.
 */

/**
 * @typedef {object} InspectParams `inspect`
 * @property {string} [frame] The frame to look in; the page with all its frames if absent.
 * @property {number} [limit] The most elements to report.
 * @property {string[]} [properties] The properties to report.
 * @property {string} selector The elements to inspect.
 * @property {Target} [target] Where to look for them: this element and what is in it; the page if absent.
 */

/**
 * @typedef {object} InspectData `inspect`
 * @property {{ attributes: Record<string, string>, enabled: boolean, frame?: string, href?: string, label: string, rect: { height: number, width: number, x: number, y: number }, role: string, route?: { hosts: { index?: number, selector: string }[], target: string }, selector?: string, styles: Record<string, string>, tag: string, text: string, visible: boolean }[]} elements The elements, in the order of the document.
 * @property {number} total How many match, reported or not.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} SnapshotParams `snapshot`
 * @property {string} [contains] Only lines whose name or value contains this, whatever its case, and what they stand in.
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {boolean} [hidden] Also what a person cannot see.
 * @property {boolean} [interactiveOnly] Only what can be acted on.
 * @property {number} [limitChars] The most characters of the tree: what is left out is counted where it stands.
 * @property {number} [maxDepth] How many levels deep; all of them if absent.
 * @property {string} [selector] The part of the page to read.
 * @property {string} [since] The `mark` of an earlier snapshot of this page with the same parameters: only what has changed since, as lines that begin with `+`, `-` or `~`.
 */

/**
 * @typedef {object} SnapshotData `snapshot`
 * @property {boolean} [full] Whether the tree is the whole one.
 * @property {number[]} [handles] The numbers of the handles `elN` that stand in the tree. The daemon takes them out.
 * @property {string} [mark] What to call this snapshot by, as `since` of a later one; an older extension gives none.
 * @property {number} nodeCount How many lines the whole tree has.
 * @property {string} tree A line for each node, indented by its depth; of what has changed since an earlier snapshot if `full` is false.
 * @property {boolean} [truncated] Whether something was left out because of the limit.
 */

/** @typedef {Record<string, never>} FramesParams `frames` */

/**
 * @typedef {object} FramesData `frames`
 * @property {{ frame: string, name?: string, parent?: string, readable: boolean, url: string, visible: boolean, why?: string }[]} frames The frames, in the order of the document.
 */

/**
 * @typedef {object} FindParams `find`
 * @property {boolean} [exact] Whether case counts, and a text is the whole.
 * @property {string} [frame] The frame to look in; the page with all its frames if absent.
 * @property {string} [label] The text of its label.
 * @property {number} [limit] The most elements to list; 10 if absent.
 * @property {string} [name] Its accessible name.
 * @property {number} [nth] Which of several matches, from 0.
 * @property {string} [placeholder] Its placeholder.
 * @property {string} [role] Its accessible role, such as `button`.
 * @property {string} [testId] Its test id (`data-testid` and the like).
 * @property {string} [text] The text that it shows.
 */

/**
 * @typedef {object} FindData `find`
 * @property {{ frame?: string, handle?: string, name: string, role: string, route?: { hosts: { index?: number, selector: string }[], target: string }, selector?: string, states?: string[], text?: string, value?: string }[]} matches The elements, in the order of the document.
 * @property {number} total How many match, listed or not.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} TableParams `table`
 * @property {string} [frame] The frame to read; the page with all its frames if absent.
 * @property {number} [limit] The most rows to list of each table; 500 if absent.
 * @property {number} [offset] How many rows of each table to skip first.
 * @property {Target} [target] The table or list, or what it is in, or a part of it; all of the page if absent.
 */

/**
 * @typedef {object} TableData `table`
 * @property {{ caption?: string, columns: string[], frame?: string, handle?: string, rows: string[][], total: number }[]} tables The tables, grids and lists of like items, in the order of the document.
 * @property {{ frame: string, url: string, why: string }[]} [unreadable] The frames that could not be read.
 */

/**
 * @typedef {object} ScrollParams `scroll`
 * @property {string} [by] How far: `viewport`, `half`, `end`, or pixels such as `300px`.
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {'up' | 'down'} [direction] The direction; down if absent.
 * @property {string} [frame] The frame to scroll, where no element is named.
 * @property {Target} [target] The element to scroll; the page if absent.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} ScrollData `scroll`
 * @property {number} after The scroll position now.
 * @property {number} before The scroll position before.
 * @property {number} [clientHeight] The height of the visible part.
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {boolean} moved Whether the position changed.
 * @property {number} [scrollHeight] The height of the content.
 * @property {number} scrolledPx The distance scrolled.
 * @property {boolean} stable Whether the page settled.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {'viewport' | 'element'} target What was scrolled.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} ClickParams `click`
 * @property {Spot} [at] Where in the element; where it can be hit if absent.
 * @property {'left' | 'middle' | 'right'} [button] The button to press; left if absent.
 * @property {number} [count] How often: 2 is a double click. 1 if absent.
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {number} [hold] How long the button stays down, in milliseconds; 0 if absent.
 * @property {('Alt' | 'Control' | 'Meta' | 'Shift')[]} [modifiers] The keys that are held down meanwhile.
 * @property {Target} target The element to click.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} ClickData `click`
 * @property {boolean} clicked Always true.
 * @property {boolean} disappeared Whether the element has since been removed or hidden.
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {boolean} stable Whether the page settled.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} HoverParams `hover`
 * @property {Spot} [at] Where in the element; where it can be hit if absent.
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {Target} target The element to hover over.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} HoverData `hover`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {number} elapsed How long the action took, in milliseconds.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {boolean} hovered Always true.
 * @property {boolean} stable Whether the page settled.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} DragParams `drag`
 * @property {Spot} [at] Where in the element the pointer takes hold of it; where it can be hit if absent.
 * @property {{ x: number, y: number }} [by] How far to drag it.
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {Target} from The element to drag.
 * @property {number} [steps] How many moves the way has; 10 if absent.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 * @property {Target} [to] The element to drop it on.
 * @property {Spot} [toAt] Where in the element `to` it is dropped; where that can be hit if absent.
 */

/**
 * @typedef {object} DragData `drag`
 * @property {boolean} dragged Always true.
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {boolean} stable Whether the page settled.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} SelectTextParams `select-text`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {number} [nth] Which occurrence of the part, from 0; the first if absent.
 * @property {Target} target The element, or the field, whose text to select.
 * @property {string} [text] The part of its text; all of it if absent.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} SelectTextData `select-text`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {string} selected The text that is selected now.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} SelectParams `select`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {string} optionText The visible text of the option.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 * @property {Target} trigger The control that opens the options.
 */

/**
 * @typedef {object} SelectData `select`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {string} optionText The option's text.
 * @property {boolean} selected Whether the option is chosen.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} PressParams `press`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {string[]} keys The keys to press one after the other, each as `Key` or `Mod+Key`: `Enter`, `a`, `ArrowDown`, `Control+a`, `Shift+Tab`. A key is named as in `KeyboardEvent.key`.
 * @property {Target} [target] The element to focus first; what has the focus if absent.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} PressData `press`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {number} pressed How many keys were pressed.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} TypeParams `type`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {boolean} [private] Whether to keep the text out of the answer.
 * @property {boolean} [replace] Whether to replace what the field holds.
 * @property {Target} [target] The field to type into, at the end of what it holds; what has the focus, at its caret, if absent.
 * @property {string} text The text to type, a key for each character; a line break is the Enter key.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} TypeData `type`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {number} typed How many characters were typed.
 * @property {string} [value] What the field holds afterwards; absent if it is private, or if it is no field.
 */

/**
 * @typedef {object} UploadParams `upload`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {boolean} [drop] True to drop them on the element, false to do it in any other way; as the element takes them if absent.
 * @property {{ bytes: number, file: string, name: string, type: string }[]} files The files, as the session has them.
 * @property {Target} target The field for files, the drop zone, or the button that asks for files.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} UploadData `upload`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {{ bytes: number, name: string }[]} uploaded The files that the page holds now, as far as it shows.
 */

/**
 * @typedef {object} FillParams `fill`
 * @property {boolean} [blur] Whether to leave the field afterwards; true if absent.
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {'auto' | 'direct' | 'paste' | 'runtime-api'} [method] How to enter the value; `auto` if absent: the way that the field takes.
 * @property {boolean} [private] Whether to keep the value out of the answer.
 * @property {Target} target The field to fill.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 * @property {string} value The value to enter.
 * @property {'isolated' | 'main'} [world] The JavaScript world to run in: that of the method if absent.
 */

/**
 * @typedef {object} FillData `fill`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} filled Whether the field holds the value now.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 * @property {string} [verifiedValue] The field's value afterwards; absent if it is private.
 */

/**
 * @typedef {object} FillFormParams `fill-form`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {Field[]} fields The fields, filled in this order.
 * @property {Then} [then] A read to bring along, once the page has come to rest.
 */

/**
 * @typedef {object} FillFormData `fill-form`
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {{ filled: boolean, target: Target, verifiedValue?: string }[]} results The outcome for each field, in the same order.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/**
 * @typedef {object} DownloadParams `download`
 * @property {Dialog} [dialog] How dialogs are answered; they are dismissed if absent.
 * @property {Target} [target] The element to click, which makes the page give the file.
 * @property {Then} [then] A read to bring along, once the browser has the file.
 * @property {string} [url] The address to fetch with the person's cookies: http, https, blob or data.
 */

/**
 * @typedef {object} DownloadData `download`
 * @property {number} bytes Its size.
 * @property {string} [danger] What the browser holds against it; absent if nothing.
 * @property {Effects} effects What came of it, as far as it was seen; empty if nothing was.
 * @property {boolean} [hidden] True if the page was not drawn meanwhile: nobody sees the tab.
 * @property {string} mime Its type, as the server said it.
 * @property {string} name The file's name, as the browser made it of what the page said.
 * @property {string} [path] Where the browser put it; absent while it waits.
 * @property {'in_progress' | 'waiting' | 'complete' | 'interrupted'} [state] `waiting` if the browser keeps it back until its person decides; absent if it is complete.
 * @property {string} [suggestedAction] What to do where the page waits for being drawn.
 * @property {unknown} [then] The data of the read that was brought along.
 * @property {ThenError} [thenError] Why that read failed.
 */

/** @typedef {Record<string, never>} DownloadListParams `download.list` */

/**
 * @typedef {object} DownloadListData `download.list`
 * @property {{ ambiguous?: boolean, bytes: number, danger?: string, error?: string, mime?: string, name: string, path?: string, state: 'in_progress' | 'waiting' | 'complete' | 'interrupted', url?: string }[]} downloads The downloads that acts of the session began, and those that may be theirs or another's; the last ones last.
 */

/**
 * @typedef {object} SaveParams `save`
 * @property {'mhtml'} format The format of the file.
 */

/**
 * @typedef {object} SaveData `save`
 * @property {string} base64 The file, in base64.
 * @property {number} bytes Its size.
 * @property {'mhtml'} format Its format.
 */

/**
 * @typedef {object} ScreenshotParams `screenshot`
 * @property {boolean} [activate] Bring the tab to the front first. Otherwise only a tab that is in front can be captured.
 * @property {boolean} [debugger] Use the debugger interface; refused unless it is enabled.
 * @property {'png' | 'jpeg' | 'webp'} [format] The format; `png` if absent.
 * @property {boolean} [fullPage] All of the page, or of what scrolls in the target.
 * @property {boolean} [marks] Whether to draw frames with handles around what can be acted on.
 * @property {number} [maxSide] The longest side that the picture may have, in pixels: a larger one is scaled down.
 * @property {number} [quality] How good a `jpeg` or `webp` is; 80 if absent.
 * @property {Target} [target] The element to picture, all of it; what the window shows if absent.
 */

/**
 * @typedef {object} ScreenshotData `screenshot`
 * @property {string} base64 The picture.
 * @property {boolean} [capped] There is more than the picture shows.
 * @property {string} format Its format, such as `png`.
 * @property {number} [height] Its height, in pixels.
 * @property {{ handle?: string, height: number, width: number, x: number, y: number }[]} [marks] What can be acted on in it, as drawn there.
 * @property {boolean} [uniform] All of it is one colour: the page may not be drawn yet, or have nothing there.
 * @property {number} [width] Its width, in pixels.
 */

/**
 * @typedef {object} RequireHumanParams `require-human`
 * @property {string} [forAttach] What the person's help is attached to.
 * @property {string} reason What the person is asked to do.
 */

/** @typedef {Record<string, unknown>} RequireHumanData `require-human` */

/**
 * @typedef {object} DebugLogParams `debug.log`
 * @property {string} [id] Only records of this request.
 * @property {number} [limit] The most records to return.
 */

/**
 * @typedef {object} DebugLogData `debug.log`
 * @property {Record<string, unknown>[]} entries The extension's records, oldest first; each has a `ts` and fields of its own.
 */

/**
 * The parameters of each action.
 * @typedef {{
 *   'tab.open': TabOpenParams,
 *   'tab.close': TabCloseParams,
 *   'tab.pin': TabPinParams,
 *   'tab.unpin': TabUnpinParams,
 *   'tab.activate': TabActivateParams,
 *   navigate: NavigateParams,
 *   back: BackParams,
 *   forward: ForwardParams,
 *   reload: ReloadParams,
 *   wait: WaitParams,
 *   text: TextParams,
 *   links: LinksParams,
 *   images: ImagesParams,
 *   elements: ElementsParams,
 *   outline: OutlineParams,
 *   dom: DomParams,
 *   inspect: InspectParams,
 *   snapshot: SnapshotParams,
 *   frames: FramesParams,
 *   find: FindParams,
 *   table: TableParams,
 *   scroll: ScrollParams,
 *   click: ClickParams,
 *   hover: HoverParams,
 *   drag: DragParams,
 *   'select-text': SelectTextParams,
 *   select: SelectParams,
 *   press: PressParams,
 *   type: TypeParams,
 *   upload: UploadParams,
 *   fill: FillParams,
 *   'fill-form': FillFormParams,
 *   download: DownloadParams,
 *   'download.list': DownloadListParams,
 *   save: SaveParams,
 *   screenshot: ScreenshotParams,
 *   'require-human': RequireHumanParams,
 *   'debug.log': DebugLogParams,
 * }} ParamsOf
 */

/**
 * The data of each answer that clients get as it is.
 * @typedef {{
 *   navigate: NavigateData,
 *   back: BackData,
 *   forward: ForwardData,
 *   reload: ReloadData,
 *   wait: WaitData,
 *   text: TextData,
 *   links: LinksData,
 *   images: ImagesData,
 *   elements: ElementsData,
 *   outline: OutlineData,
 *   dom: DomData,
 *   inspect: InspectData,
 *   snapshot: SnapshotData,
 *   frames: FramesData,
 *   find: FindData,
 *   table: TableData,
 *   scroll: ScrollData,
 *   click: ClickData,
 *   hover: HoverData,
 *   drag: DragData,
 *   'select-text': SelectTextData,
 *   select: SelectData,
 *   press: PressData,
 *   type: TypeData,
 *   upload: UploadData,
 *   fill: FillData,
 *   'fill-form': FillFormData,
 *   download: DownloadData,
 *   'download.list': DownloadListData,
 *   save: SaveData,
 *   screenshot: ScreenshotData,
 *   'require-human': RequireHumanData,
 *   'debug.log': DebugLogData,
 * }} DataOf
 */

/** @typedef {keyof ParamsOf} ActionName an action that the extension carries out */

/**
 * The actions that may run again when the browser stopped the extension in the middle of them.
 * @typedef {'wait'
 *   | 'text'
 *   | 'links'
 *   | 'images'
 *   | 'elements'
 *   | 'outline'
 *   | 'dom'
 *   | 'inspect'
 *   | 'snapshot'
 *   | 'frames'
 *   | 'find'
 *   | 'table'
 *   | 'download.list'
 *   | 'save'
 *   | 'screenshot'
 *   | 'debug.log'} RepeatableAction
 */

/** @type {import('./schema.js').Schema} */
const TARGET = {
  oneOf: [
    {
      type: 'object',
      additionalProperties: false,
      properties: { frame: { type: 'string', pattern: '^f[0-9]+$' }, selector: { type: 'string' } },
      required: ['selector'],
    },
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        route: {
          type: 'object',
          additionalProperties: false,
          properties: {
            hosts: {
              type: 'array',
              items: {
                type: 'object',
                additionalProperties: false,
                properties: { index: { type: 'integer', minimum: 0 }, selector: { type: 'string' } },
                required: ['selector'],
              },
              minItems: 1,
            },
            target: { type: 'string' },
          },
          required: ['hosts', 'target'],
        },
      },
      required: ['route'],
    },
    {
      type: 'object',
      additionalProperties: false,
      properties: { handle: { type: 'string', pattern: '^(el|ln)[0-9]+$' } },
      required: ['handle'],
    },
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        find: {
          type: 'object',
          additionalProperties: false,
          properties: {
            exact: { type: 'boolean' },
            label: { type: 'string' },
            name: { type: 'string' },
            nth: { type: 'integer', maximum: 4294967295, minimum: 0 },
            placeholder: { type: 'string' },
            role: { type: 'string' },
            testId: { type: 'string' },
            text: { type: 'string' },
          },
        },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
      },
      required: ['find'],
    },
  ],
};
/** @type {import('./schema.js').Schema} */
const SPOT = {
  type: 'object',
  additionalProperties: false,
  properties: { x: { type: 'number', maximum: 1, minimum: 0 }, y: { type: 'number', maximum: 1, minimum: 0 } },
  required: ['x', 'y'],
};
/** @type {import('./schema.js').Schema} */
const FIELD = {
  type: 'object',
  additionalProperties: false,
  properties: {
    blur: { type: 'boolean' },
    method: { type: 'string', enum: ['auto', 'direct', 'paste', 'runtime-api'] },
    private: { type: 'boolean' },
    target: TARGET,
    value: { type: 'string' },
    world: { type: 'string', enum: ['isolated', 'main'] },
  },
  required: ['target', 'value'],
};
/** @type {import('./schema.js').Schema} */
const DIALOG = {
  type: 'object',
  additionalProperties: false,
  properties: { answer: { type: 'string', enum: ['accept', 'dismiss'] }, text: { type: 'string' } },
  required: ['answer'],
};
/** @type {import('./schema.js').Schema} */
const THEN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    action: { type: 'string', enum: ['snapshot', 'text', 'find', 'elements', 'links', 'table'] },
    params: { type: 'object', additionalProperties: true },
  },
  required: ['action'],
};

/**
 * Every action that the extension carries out. `acts`: it must not run a second time, should the browser stop the
 * extension in the middle of it; `needsTab`: its command names a tab; `reportsEffects`: its answer says what came of it;
 * `params`: the schema of its parameters.
 * @type {{ readonly [Name in ActionName]: {
 *   acts: boolean, needsTab: boolean, reportsEffects: boolean, params: import('./schema.js').Schema } }}
 */
export const ACTIONS = Object.freeze({
  'tab.open': {
    acts: true,
    needsTab: false,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        then: THEN,
        until: { type: 'string', enum: ['load', 'parsed', 'committed'] },
        url: { type: 'string' },
        window: { type: 'string', enum: ['current', 'own'] },
      },
      required: ['url'],
    },
  },
  'tab.close': {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { tab: { type: 'string', pattern: '^t[0-9]+$' } },
    },
  },
  'tab.pin': {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { tab: { type: 'string', pattern: '^t[0-9]+$' } },
    },
  },
  'tab.unpin': {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { tab: { type: 'string', pattern: '^t[0-9]+$' } },
    },
  },
  'tab.activate': {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { tab: { type: 'string', pattern: '^t[0-9]+$' }, then: THEN },
    },
  },
  navigate: {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        then: THEN,
        until: { type: 'string', enum: ['load', 'parsed', 'committed'] },
        url: { type: 'string' },
      },
      required: ['url'],
    },
  },
  back: {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: { type: 'object', additionalProperties: false, properties: { then: THEN } },
  },
  forward: {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: { type: 'object', additionalProperties: false, properties: { then: THEN } },
  },
  reload: {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: { type: 'object', additionalProperties: false, properties: { then: THEN } },
  },
  wait: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        or: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            properties: {
              strategy: {
                type: 'string',
                enum: [
                  'selector',
                  'url',
                  'navigation',
                  'text',
                  'text-gone',
                  'gone',
                  'enabled',
                  'stable',
                  'idle',
                  'download',
                ],
              },
              target: { type: 'string' },
            },
            required: ['strategy'],
          },
          maxItems: 4,
          minItems: 1,
        },
        strategy: {
          type: 'string',
          enum: [
            'selector',
            'url',
            'navigation',
            'text',
            'text-gone',
            'gone',
            'enabled',
            'stable',
            'idle',
            'download',
          ],
        },
        target: { type: 'string' },
        timeout: { type: 'integer', maximum: 600000, minimum: 0 },
      },
      required: ['strategy'],
    },
  },
  text: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        hidden: { type: 'boolean' },
        selector: { type: 'string' },
      },
    },
  },
  links: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        contains: { type: 'string' },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        hrefContains: { type: 'string' },
        limit: { type: 'integer', maximum: 5000, minimum: 1 },
        offset: { type: 'integer', maximum: 4294967295, minimum: 0 },
        selector: { type: 'string' },
        targets: { type: 'boolean' },
        visibleOnly: { type: 'boolean' },
      },
    },
  },
  images: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { frame: { type: 'string', pattern: '^f[0-9]+$' }, selector: { type: 'string' } },
    },
  },
  elements: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        contains: { type: 'string' },
        form: { type: 'boolean' },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        hidden: { type: 'boolean' },
        limit: { type: 'integer', maximum: 5000, minimum: 1 },
        offset: { type: 'integer', maximum: 4294967295, minimum: 0 },
        role: { type: 'string' },
        targets: { type: 'boolean' },
      },
    },
  },
  outline: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { frame: { type: 'string', pattern: '^f[0-9]+$' } },
    },
  },
  dom: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        depth: { type: 'integer', maximum: 50, minimum: 1 },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        selector: { type: 'string' },
      },
    },
  },
  inspect: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        limit: { type: 'integer', maximum: 50, minimum: 1 },
        properties: { type: 'array', items: { type: 'string' }, maxItems: 50 },
        selector: { type: 'string' },
        target: TARGET,
      },
      required: ['selector'],
    },
  },
  snapshot: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        contains: { type: 'string' },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        hidden: { type: 'boolean' },
        interactiveOnly: { type: 'boolean' },
        limitChars: { type: 'integer', maximum: 200000, minimum: 500 },
        maxDepth: { type: 'integer', maximum: 4294967295, minimum: 1 },
        selector: { type: 'string' },
        since: { type: 'string' },
      },
    },
  },
  frames: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: { type: 'object', additionalProperties: false },
  },
  find: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        exact: { type: 'boolean' },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        label: { type: 'string' },
        limit: { type: 'integer', maximum: 50, minimum: 1 },
        name: { type: 'string' },
        nth: { type: 'integer', maximum: 4294967295, minimum: 0 },
        placeholder: { type: 'string' },
        role: { type: 'string' },
        testId: { type: 'string' },
        text: { type: 'string' },
      },
    },
  },
  table: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        limit: { type: 'integer', maximum: 5000, minimum: 1 },
        offset: { type: 'integer', maximum: 4294967295, minimum: 0 },
        target: TARGET,
      },
    },
  },
  scroll: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        by: { type: 'string', pattern: '^(viewport|half|end|[0-9]+px)$' },
        dialog: DIALOG,
        direction: { type: 'string', enum: ['up', 'down'] },
        frame: { type: 'string', pattern: '^f[0-9]+$' },
        target: TARGET,
        then: THEN,
      },
    },
  },
  click: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        at: SPOT,
        button: { type: 'string', enum: ['left', 'middle', 'right'] },
        count: { type: 'integer', maximum: 3, minimum: 1 },
        dialog: DIALOG,
        hold: { type: 'integer', maximum: 10000, minimum: 0 },
        modifiers: { type: 'array', items: { type: 'string', enum: ['Alt', 'Control', 'Meta', 'Shift'] } },
        target: TARGET,
        then: THEN,
      },
      required: ['target'],
    },
  },
  hover: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { at: SPOT, dialog: DIALOG, target: TARGET, then: THEN },
      required: ['target'],
    },
  },
  drag: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        at: SPOT,
        by: {
          type: 'object',
          additionalProperties: false,
          properties: { x: { type: 'number' }, y: { type: 'number' } },
          required: ['x', 'y'],
        },
        dialog: DIALOG,
        from: TARGET,
        steps: { type: 'integer', maximum: 100, minimum: 1 },
        then: THEN,
        to: TARGET,
        toAt: SPOT,
      },
      required: ['from'],
    },
  },
  'select-text': {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        dialog: DIALOG,
        nth: { type: 'integer', minimum: 0 },
        target: TARGET,
        text: { type: 'string' },
        then: THEN,
      },
      required: ['target'],
    },
  },
  select: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { dialog: DIALOG, optionText: { type: 'string' }, then: THEN, trigger: TARGET },
      required: ['trigger', 'optionText'],
    },
  },
  press: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        dialog: DIALOG,
        keys: {
          type: 'array',
          items: {
            type: 'string',
            pattern: "^((Alt|Control|Meta|Shift)\\+)*([A-Z][A-Za-z0-9]*|[^\\u0000-\\u001f\\u007f-\\u009f])$",
          },
          maxItems: 100,
          minItems: 1,
        },
        target: TARGET,
        then: THEN,
      },
      required: ['keys'],
    },
  },
  type: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        dialog: DIALOG,
        private: { type: 'boolean' },
        replace: { type: 'boolean' },
        target: TARGET,
        text: { type: 'string', maxLength: 100000 },
        then: THEN,
      },
      required: ['text'],
    },
  },
  upload: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        dialog: DIALOG,
        drop: { type: 'boolean' },
        files: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            properties: {
              bytes: { type: 'integer', minimum: 0 },
              file: { type: 'string', pattern: '^fl[0-9]+$' },
              name: { type: 'string' },
              type: { type: 'string' },
            },
            required: ['file', 'name', 'bytes', 'type'],
          },
          maxItems: 20,
          minItems: 1,
        },
        target: TARGET,
        then: THEN,
      },
      required: ['target', 'files'],
    },
  },
  fill: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        blur: { type: 'boolean' },
        dialog: DIALOG,
        method: { type: 'string', enum: ['auto', 'direct', 'paste', 'runtime-api'] },
        private: { type: 'boolean' },
        target: TARGET,
        then: THEN,
        value: { type: 'string' },
        world: { type: 'string', enum: ['isolated', 'main'] },
      },
      required: ['target', 'value'],
    },
  },
  'fill-form': {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        dialog: DIALOG,
        fields: { type: 'array', items: FIELD, maxItems: 100, minItems: 1 },
        then: THEN,
      },
      required: ['fields'],
    },
  },
  download: {
    acts: true,
    needsTab: true,
    reportsEffects: true,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { dialog: DIALOG, target: TARGET, then: THEN, url: { type: 'string' } },
    },
  },
  'download.list': {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: { type: 'object', additionalProperties: false },
  },
  save: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { format: { type: 'string', enum: ['mhtml'] } },
      required: ['format'],
    },
  },
  screenshot: {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: {
        activate: { type: 'boolean' },
        debugger: { type: 'boolean' },
        format: { type: 'string', enum: ['png', 'jpeg', 'webp'] },
        fullPage: { type: 'boolean' },
        marks: { type: 'boolean' },
        maxSide: { type: 'integer', maximum: 8000, minimum: 100 },
        quality: { type: 'integer', maximum: 100, minimum: 1 },
        target: TARGET,
      },
    },
  },
  'require-human': {
    acts: true,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { forAttach: { type: 'string' }, reason: { type: 'string' } },
      required: ['reason'],
    },
  },
  'debug.log': {
    acts: false,
    needsTab: true,
    reportsEffects: false,
    params: {
      type: 'object',
      additionalProperties: false,
      properties: { id: { type: 'string' }, limit: { type: 'integer', maximum: 1000, minimum: 1 } },
    },
  },
});

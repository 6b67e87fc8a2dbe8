//! Every bound of the contract with its reason, in one place; `docs/limits.md` names the test of each.
//!
//! Bounds of a single part of the daemon (how long a close lingers, how much is logged) stay where they are used.
//! Ranges of single parameters are part of their declarations in `actions`.

use std::time::Duration;

// --- connections ---

/// How many connections may wait to be accepted, where the system allows as many: a burst of clients must not wait for
/// retransmissions of a second and more.
pub const LISTEN_BACKLOG: i32 = 4096;

/// How many connections there may be at once. Far more than the clients of one machine open, few enough for the
/// usual limit of 1,024 descriptors. One more evicts the longest-idle connection.
pub const MAX_CONNECTIONS: usize = 900;

/// How many descriptors connections leave to everything else (log, keyring, service manager), where the process may
/// have so few that [`MAX_CONNECTIONS`] does not fit. An idle daemon holds about fifteen.
pub const SPARE_DESCRIPTORS: usize = 32;
/// The fewest descriptors that a daemon starts with: the spare ones, and one each for a browser and a command.
pub const MIN_DESCRIPTORS: usize = SPARE_DESCRIPTORS + 2;

/// The largest head of a request, in bytes: a token and a few headers; browsers add a kilobyte or two.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How many header lines a request may have; browsers send about twenty.
pub const MAX_HEADERS: usize = 100;

/// How long a head may take to arrive, and how long a connection may be idle between two requests. Clients on this
/// machine need milliseconds; a person who types HTTP by hand gets by.
pub const HEAD_TIME: Duration = Duration::from_secs(30);

/// The largest request body, in bytes: a command with a long text to fill fits, an upload does not.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The largest body of a claim, in bytes: a pairing code. Claims need no secret, so that unread ones of any process on
/// the machine must not add up.
pub const MAX_CLAIM_BYTES: usize = 1024;

/// How long a body may take to arrive: clients are on this machine and send it in one go.
pub const BODY_TIME: Duration = Duration::from_secs(10);

// --- requests ---

/// The longest request id, in characters: room for any scheme of naming, little enough to log with every step.
pub const MAX_ID_CHARS: usize = 128;

/// How far in the future a deadline may lie, in milliseconds; later ones are brought forward. Nothing that a page does
/// takes longer, and a forgotten command ends eventually.
pub const MAX_DEADLINE_MS: i64 = 10 * 60 * 1000;

/// The longest label of a session, in characters: it has to fit on a line of a list.
pub const MAX_LABEL_CHARS: usize = 64;

/// How many fields one `fill-form` may fill: larger forms than any person would sit through.
pub const MAX_FORM_FIELDS: usize = 100;

/// How many conditions a wait has besides its first: each is looked for again and again.
pub const MAX_CONDITIONS: usize = 4;

/// How many keys one `press` may press: more than a person would before looking.
pub const MAX_KEYS: usize = 100;

/// The longest text that `type` takes, in characters: a long essay.
pub const MAX_TYPED_CHARS: usize = 100_000;

// --- files ---

/// The largest file that a client may give to a session, in bytes: a long video.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// How many bytes the files of a session may take, in all: two of the largest.
pub const MAX_SESSION_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// How long a file may take to arrive: the largest one from a slow disk.
pub const FILE_TIME: Duration = Duration::from_secs(10 * 60);

/// How many files may arrive at once: more make none of them faster, and each costs a descriptor and a buffer.
pub const MAX_ARRIVALS: usize = 8;

/// The longest name that a client may give a file, in bytes: a path with a long name at its end.
pub const MAX_NAME_BYTES: usize = 1024;

/// The longest name that a file is kept by, in bytes: what file systems take.
pub const MAX_KEPT_NAME_BYTES: usize = 255;

/// How many files one `upload` gives to a page: as many as a person would choose at once.
pub const MAX_FILES: usize = 20;

// --- what the daemon keeps ---

/// How many commands there may be between admission and answer. Agents wait for their answers, so this is a hundred
/// agents at once; with the largest bodies it is 100 MiB.
pub const MAX_PENDING: usize = 100;

/// How many sessions there may be at once: far more than agents on one machine, few enough to list.
pub const MAX_SESSIONS: usize = 256;

/// How many tabs a session may hold at once: more than a person could follow.
pub const MAX_TABS: usize = 64;

/// For how many tabs of one browser the current page is remembered: more tabs than people keep open. Tabs of sessions
/// are evicted last.
pub const MAX_PAGES: usize = 1024;

/// How many of the latest commands `debug.last` keeps: an hour of one agent's work.
pub const MAX_TRACES: usize = 200;

/// How much is kept of a tab's address and title and of why a session is paused, in characters: a person reads no more
/// of them, and a page can make them any length. Answers carry them in full.
pub const MAX_KEPT_CHARS: usize = 4096;

/// How far ahead the numbers of a session's handles are saved, so that reads need not write: a session seldom gives as
/// many between two daemons.
pub const NUMBERS_AHEAD: u64 = 10_000;

/// How long a session lives without a command: a week's holiday is over then.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long after the daemon's start no session ends for being unused: browsers and agents come back meanwhile, and the
/// clock is set.
pub const SETTLING_TIME: Duration = Duration::from_secs(10 * 60);

/// How often sessions are looked at that may have to end, and how exactly it is saved when they were used.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// How soon the sessions are saved again where it failed, as on a full disk: a try costs little.
pub const SAVE_AGAIN: Duration = Duration::from_secs(1);

/// How long after saving the sessions the disk may wait to be told to write them, where it has just been told before.
pub const SYNC_EVERY: Duration = Duration::from_millis(500);

/// How long a browser's journal knows what came of a command: its longest deadline, and some time to ask again.
pub const JOURNAL_LIFE: Duration = Duration::from_secs(15 * 60);

/// How many handles one answer gets: more elements than an agent can make sense of. It is also how many numbers of each
/// kind are reserved for a command whose answer hands out handles.
pub const MAX_HANDLES_PER_READ: usize = 1000;

/// How many handles there are in total; the session that has the most loses its oldest. Enough for a few reads of
/// several agents.
pub const MAX_HANDLES: usize = 5000;

/// How long a handle is valid after the last answer that listed it or the last command that used it: an agent acts on
/// what it has just read, and pages change.
pub const HANDLE_LIFE: Duration = Duration::from_secs(120);

/// The longest mark of a document, in characters: a few random numbers fit.
pub const MAX_DOCUMENT_CHARS: usize = 64;

/// How long a command in flight goes on as before when nobody waits for its answer any more: the client may ask again at
/// once. Then the browser is told to give it up.
pub const GIVE_UP_WAIT: Duration = Duration::from_secs(5);

/// The longest time that closing a session waits for browsers to close its tabs.
pub const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// The longest name of a program that asks, in characters.
pub const MAX_CALLER_CHARS: usize = 64;

/// The longest folder of a program that asks, in characters.
pub const MAX_FOLDER_CHARS: usize = 256;

/// How long commands in flight may go on after the daemon is told to stop: most answers come within a second, and
/// service managers kill what takes much longer.
pub const DRAIN: Duration = Duration::from_secs(5);

/// The code of refusals meanwhile, with status 503: the same request may succeed once the daemon is up again.
pub const SHUTTING_DOWN: &str = "SHUTTING_DOWN";

/// The code of the answer to requests that wait for a daemon that cannot start.
pub const CANNOT_START: &str = "CANNOT_START";

// --- browsers ---

/// The largest message from the extension, in bytes: many times a screenshot of a large screen.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// The largest answer that the extension sends, in bytes of UTF-8: several times a screenshot. A larger one fails with
/// `TOO_LARGE`.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// How many times a command may be in flight while its browser sends a message over [`MAX_MESSAGE_BYTES`], until it fails
/// with `TOO_LARGE`: once may be another command's fault.
pub const MAX_OVERFLOWS: u32 = 2;

/// The longest number in a ping, in characters: it is echoed, and a browser that does not read must not make the daemon
/// keep much.
pub const MAX_PING_CHARS: usize = 32;

/// How long a browser may leave pongs unread, before its connection is closed: a live browser reads at once.
pub const PONG_TIME: Duration = Duration::from_secs(10);

/// How long a new connection of an extension may be silent before it counts as anonymous: a hello is sent
/// at once.
pub const HELLO_WAIT: Duration = Duration::from_millis(500);

/// How often an extension is pinged: browsers stop a service worker that receives nothing for 30 s.
pub const PING_EVERY: Duration = Duration::from_secs(20);

/// How long an extension may be silent: two pings and some slack. Checked at every ping, so noticed by 65 s.
pub const SILENCE: Duration = Duration::from_secs(45);

// --- pairing ---

/// How long the nonce of a challenge may be used: an extension connects at once, and only used ones are remembered.
pub const NONCE_LIFE: Duration = Duration::from_secs(10);

/// How long a code is valid, and how long a claim's payload may be accepted, in milliseconds: time to walk over to the
/// browser.
pub const CODE_LIFE_MS: i64 = 5 * 60 * 1000;

/// How many failed claims within [`CLAIM_WINDOW`] block all claims. Five guesses a minute against 29⁸ codes are
/// hopeless, and a person mistypes less often.
pub const MAX_CLAIM_FAILURES: usize = 5;

/// How long a failed claim counts.
pub const CLAIM_WINDOW: Duration = Duration::from_secs(60);

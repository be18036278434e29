package edge

// Reason is why a write is kept, refused or registered, and later why it came to
// what it came to. Its text is for machines; Words are for people.
type Reason string

const (
	ReasonQueued      Reason = "queued"
	ReasonRegister    Reason = "register"
	ReasonNoRule      Reason = "no-rule"
	ReasonMoney       Reason = "money"
	ReasonIdentity    Reason = "identity"
	ReasonSignature   Reason = "signature"
	ReasonTime        Reason = "time"
	ReasonUnsupported Reason = "unsupported"
	ReasonMethod      Reason = "method"
	ReasonPerson      Reason = "person"
	ReasonGroup       Reason = "group"
	ReasonNoSeal      Reason = "no-seal"
	ReasonBody        Reason = "body"
	ReasonQuota       Reason = "quota"
	ReasonPart        Reason = "part"
	ReasonCondition   Reason = "condition"
	ReasonID          Reason = "id"
	ReasonNoneMatch   Reason = "none-match"
	ReasonKey         Reason = "key"
	ReasonBadKey      Reason = "bad-key"
	ReasonMatch       Reason = "match"
	ReasonWeak        Reason = "weak"
	ReasonSource      Reason = "source"
	ReasonSequence    Reason = "sequence"
)

// Words are for a person, in both languages of the pages.
type Words struct{ It, En string }

// reasons is the one table of what people read about a write.
var reasons = map[Reason]Words{
	ReasonQueued:      {"In attesa: il collegamento è interrotto. L'invio avverrà quando ritorna.", "Waiting: the link is down. It will be sent when the link is back."},
	ReasonRegister:    {"Il protocollo non è raggiungibile: usare il registro di emergenza. Il numero ufficiale sarà assegnato dopo.", "The protocol system cannot be reached: use the emergency register. The official number is given later."},
	ReasonNoRule:      {"Questa operazione non si può fare senza collegamento. Riprovare quando ritorna.", "This cannot be done while the link is down. Try again when it is back."},
	ReasonMoney:       {"I pagamenti non si possono fare senza collegamento. Nulla è stato addebitato.", "Payments cannot be made while the link is down. Nothing was charged."},
	ReasonIdentity:    {"L'accesso con SPID o CIE richiede il collegamento. Riprovare quando ritorna.", "Signing in with SPID or CIE needs the link. Try again when it is back."},
	ReasonSignature:   {"La firma remota richiede il collegamento. Il documento non è stato firmato.", "A remote signature needs the link. The document was not signed."},
	ReasonTime:        {"La prenotazione non può attendere: riprovare quando il collegamento ritorna, o telefonare.", "A booking cannot wait: try again when the link is back, or telephone."},
	ReasonUnsupported: {"Il servizio di destinazione non permette di inviare più tardi senza rischio di doppioni.", "The service at the other end cannot take this later without the risk of doing it twice."},
	ReasonMethod:      {"Questo tipo di richiesta non si può inviare più tardi.", "This kind of request cannot be sent later."},
	ReasonPerson:      {"Per inviare più tardi bisogna prima entrare nelle pagine dei documenti del comune, con il proprio PIN.", "To send this later, enter the comune's document pages with your PIN first."},
	ReasonGroup:       {"Questa operazione spetta a un altro ufficio.", "This is for another office to do."},
	ReasonNoSeal:      {"Le credenziali non si possono conservare al sicuro in questo comune: riprovare quando il collegamento ritorna.", "Credentials cannot be kept safely in this comune: try again when the link is back."},
	ReasonBody:        {"L'allegato è troppo grande per essere conservato in attesa.", "The attachment is too big to be kept waiting."},
	ReasonQuota:       {"Lo spazio per le operazioni in attesa è pieno. Riprovare quando il collegamento ritorna.", "The room for waiting writes is full. Try again when the link is back."},
	ReasonPart:        {"Non si può inviare più tardi una parte di un documento: inviarlo intero.", "A part of a document cannot be sent later: send the whole."},
	ReasonCondition:   {"La richiesta porta una condizione che non le appartiene.", "The request carries a condition that does not belong to it."},
	ReasonID:          {"Manca l'identificativo UUID scelto dal dispositivo nell'indirizzo.", "The UUID that the client makes is not in the address."},
	ReasonNoneMatch:   {"Manca la condizione «If-None-Match: *».", "The condition \"If-None-Match: *\" is not there."},
	ReasonKey:         {"Manca l'intestazione Idempotency-Key.", "The field Idempotency-Key is not there."},
	ReasonBadKey:      {"L'intestazione Idempotency-Key non è valida.", "The field Idempotency-Key is not valid."},
	ReasonMatch:       {"Manca la versione vista (If-Match con un solo ETag): riaprire il documento e riprovare.", "The version seen is not there (If-Match with one ETag): open the document again and retry."},
	ReasonWeak:        {"La versione vista è indicata da un ETag debole, che non basta per modificare.", "The version seen is told by a weak ETag, which is not enough for a change."},
	ReasonSource:      {"Manca il nome della sorgente dell'evento.", "The name of the event's source is not there."},
	ReasonSequence:    {"Manca il numero progressivo dell'evento, o non è valido.", "The event's sequence number is not there, or not valid."},
}

// Words are what people read for a reason.
func (r Reason) Words() Words {
	if w, ok := reasons[r]; ok {
		return w
	}
	return reasons[ReasonNoRule]
}

// State is how far a queued write has come.
type State string

const (
	StateQueued    State = "queued"
	StateSending   State = "sending"
	StateSent      State = "sent"      // the origin has it and answers later (202)
	StateAccepted  State = "accepted"  // done
	StateRefused   State = "refused"   // the origin said no
	StateConflict  State = "conflict"  // somebody else changed it: both versions are kept
	StateExpired   State = "expired"   // its time was over
	StateStopped   State = "stopped"   // the person may no longer do it
	StateCancelled State = "cancelled" // the person took it back
	StateResolved  State = "resolved"  // of a conflict, the other version was chosen
)

// states is the one table of what people read about a state.
var states = map[State]Words{
	StateQueued:    {"in attesa", "waiting"},
	StateSending:   {"in invio", "being sent"},
	StateSent:      {"inviato", "sent"},
	StateAccepted:  {"accettato", "accepted"},
	StateRefused:   {"rifiutato", "refused"},
	StateConflict:  {"in conflitto", "in conflict"},
	StateExpired:   {"scaduto", "expired"},
	StateStopped:   {"fermato: diritto revocato", "stopped: right withdrawn"},
	StateCancelled: {"annullato", "cancelled"},
	StateResolved:  {"risolto", "resolved"},
}

// Words are what people read for a state.
func (s State) Words() Words { return states[s] }

// Known says whether s is one of the states.
func (s State) Known() bool { _, ok := states[s]; return ok }

// Waiting says whether a write in this state is still to be sent.
func (s State) Waiting() bool { return s == StateQueued || s == StateSending }

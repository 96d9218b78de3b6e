package dns

import (
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// The names of the clusters' zone and of its server, which is the keeper's.
const (
	zoneName   = "example.com"
	nameServer = "ns." + zoneName
)

// Zone has the TXT records of example.com that dynamic updates (RFC 2136) have written, as solvers of ACME's DNS-01 do. It
// takes them from everybody: nobody but the lab is in its network.
type Zone struct {
	mutex sync.Mutex
	texts map[string][]string
}

// update does what a dynamic update says, as far as it is about TXT records.
func (z *Zone) update(message *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(message)
	if len(message.Question) != 1 || key(message.Question[0].Name) != zoneName {
		return reply.SetRcode(message, dns.RcodeNotZone)
	}
	z.mutex.Lock()
	defer z.mutex.Unlock()
	for _, record := range message.Ns {
		name := key(record.Header().Name)
		text := ""
		if txt, ok := record.(*dns.TXT); ok {
			text = strings.Join(txt.Txt, "")
		}
		switch record.Header().Class {
		case dns.ClassINET:
			z.texts[name] = append(z.texts[name], text)
		case dns.ClassNONE:
			z.texts[name] = without(z.texts[name], text)
		case dns.ClassANY:
			delete(z.texts, name)
		}
	}
	return reply
}

func without(all []string, one string) []string {
	var left []string
	for _, text := range all {
		if text != one {
			left = append(left, text)
		}
	}
	return left
}

// answer adds the name's TXT records to a reply.
func (z *Zone) answer(reply *dns.Msg, name string) {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	for _, text := range z.texts[key(name)] {
		reply.Rcode = dns.RcodeSuccess
		reply.Answer = append(reply.Answer, &dns.TXT{Hdr: header(name, dns.TypeTXT), Txt: []string{text}})
	}
}

// authority says where the zone begins and who serves it, which any server in the lab knows.
func authority(question dns.Question) dns.RR {
	if key(question.Name) != zoneName {
		return nil
	}
	switch question.Qtype {
	case dns.TypeSOA:
		return &dns.SOA{Hdr: header(question.Name, dns.TypeSOA), Ns: nameServer + ".", Mbox: "hostmaster." + zoneName + ".", Serial: 1, Refresh: ttl, Retry: ttl, Expire: ttl, Minttl: ttl}
	case dns.TypeNS:
		return &dns.NS{Hdr: header(question.Name, dns.TypeNS), Ns: nameServer + "."}
	}
	return nil
}

func header(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

// key is a name as lookups get it.
func key(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// acceptUpdates accepts dynamic updates besides what a server takes by default.
func acceptUpdates(header dns.Header) dns.MsgAcceptAction {
	if opcode := int(header.Bits>>11) & 0xF; opcode == dns.OpcodeUpdate {
		return dns.MsgAccept
	}
	return dns.DefaultMsgAcceptFunc(header)
}

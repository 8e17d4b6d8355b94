// Command capture prints the IP packets that a network namespace sees of the hosts it is given, each as a line of base64 from the IP
// header on, as long as it runs. It reads raw sockets (packet(7)), so it needs CAP_NET_RAW and nothing that has to be installed.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Packets that wait to be read, in bytes; above it the kernel drops, and who reads the lines finds a gap.
const buffer = 32 << 20

// The largest IP packet there is: on virtual interfaces segments arrive as they were before they were cut.
const largest = 65_535

func networkOrder(value uint16) uint16 { return value<<8 | value>>8 }

// The addresses of a packet of IPv4 or IPv6, of 4 or 16 bytes; of any other none.
func addresses(packet []byte) (source, destination []byte) {
	if len(packet) >= 20 && packet[0]>>4 == 4 {
		return packet[12:16], packet[16:20]
	}
	if len(packet) >= 40 && packet[0]>>4 == 6 {
		return packet[8:24], packet[24:40]
	}
	return nil, nil
}

func run(hosts map[string]bool) error {
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM, int(networkOrder(syscall.ETH_P_ALL)))
	if err != nil {
		return fmt.Errorf("no packet socket: %w; CAP_NET_RAW is needed", err)
	}
	// Forced, it may pass the system's limit, but that needs CAP_NET_ADMIN.
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer); err != nil {
		return fmt.Errorf("no buffer: %w", err)
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "capturing")
	packet := make([]byte, largest)
	for {
		if err := out.Flush(); err != nil {
			return err
		}
		size, _, err := syscall.Recvfrom(socket, packet, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		source, destination := addresses(packet[:size])
		if hosts[string(source)] || hosts[string(destination)] {
			fmt.Fprintln(out, base64.StdEncoding.EncodeToString(packet[:size]))
		}
	}
}

func main() {
	hosts := map[string]bool{}
	for _, text := range os.Args[1:] {
		address := net.ParseIP(text)
		if address == nil {
			fmt.Fprintf(os.Stderr, "%s is no IP address; call this as capture ADDRESS...\n", text)
			os.Exit(64)
		}
		if short := address.To4(); short != nil {
			address = short
		}
		hosts[string(address)] = true
	}
	if len(hosts) == 0 {
		fmt.Fprintln(os.Stderr, "call this as capture ADDRESS...")
		os.Exit(64)
	}
	fmt.Fprintln(os.Stderr, run(hosts))
	os.Exit(1)
}

package dev.sluice.rollout;

import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Comparator;

/** Where other hosts reach this one, as far as it can be told from here. */
final class HostAddress {
    private HostAddress() {}

    /** The address of the host's name; where that is a loopback, as Debian has it, the first other IPv4 address. */
    static String ofThisHost() {
        try {
            InetAddress named = InetAddress.getLocalHost();
            if (!named.isLoopbackAddress() && named instanceof Inet4Address) {
                return named.getHostAddress();
            }
        } catch (UnknownHostException e) {
            // A host that does not know its own name still has addresses.
        }
        try {
            return NetworkInterface.networkInterfaces()
                    .sorted(Comparator.comparingInt(NetworkInterface::getIndex))
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                    .map(InetAddress::getHostAddress)
                    .findFirst()
                    .orElse("127.0.0.1");
        } catch (SocketException e) {
            throw new UncheckedIOException(
                    "the addresses of this host cannot be read; set sluice.rollout.engine.meeting-host", e);
        }
    }
}

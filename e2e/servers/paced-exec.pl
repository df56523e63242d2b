# perl paced-exec.pl BYTES_PER_SECOND PORT PROGRAM ARGUMENT...
# Becomes PROGRAM, handing it a socket that listens on loopback and whose connections the kernel holds to the rate.
use strict;
use warnings;
use Socket;

my ($rate, $port, @command) = @ARGV;
my $so_max_pacing_rate = 47;    # <asm-generic/socket.h>; Socket.pm does not name it
$^F = 255;                      # descriptors up to this number survive the exec

socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) or die "SO_REUSEADDR: $!";
setsockopt($socket, SOL_SOCKET, $so_max_pacing_rate, pack('L', $rate)) or die "SO_MAX_PACING_RATE: $!";
bind($socket, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die "bind: $!";
listen($socket, 511) or die "listen: $!";

# nginx takes over the descriptors named here, as it does when it is upgraded in place.
$ENV{NGINX} = fileno($socket) . ';';
exec @command or die "exec: $!";

# Tries, from inside the exporter's sandbox, what the exporter has no business to do: a line for each, `what<TAB>refused or allowed<TAB>how`.
use strict;
use warnings;
use Socket;

$| = 1;
my %call = (mmap => 9, ptrace => 101, personality => 135, mount => 165, setuid => 105, init_module => 175,
    clock_settime => 227, keyctl => 250, unshare => 272, bpf => 321);

sub said { my ($what, $ok, $how) = @_; printf "%s\t%s\t%s\n", $what, $ok ? "allowed" : "refused", $how; }
sub attempt { my ($what, $code) = @_; $! = 0; my $ok = $code->(); said($what, $ok, $ok ? "" : "$!"); }

# The probe's own means come first: without these, refusals would say nothing.
attempt("read the working directory", sub { opendir my $d, "/opt/bacula/working" or return 0; grep { /-stats\.json$/ } readdir $d });
attempt("read a sidecar", sub { open my $f, "<", glob("/opt/bacula/working/*-stats.json") });
attempt("write to its own /tmp", sub { open my $f, ">", "/tmp/mine" });
attempt("map memory to read and write", sub { syscall($call{mmap}, 0, 4096, 3, 0x22, -1, 0) > 0 });

for my $folder (qw(/ /etc /run /usr /usr/lib /var /opt/bacula /opt/bacula/working /opt/bacula/lib/podheitor-mongodb /bin /lib64)) {
    attempt("write to $folder", sub { open my $f, ">", "$folder/probe" });
}
for my $file (glob("/opt/bacula/working/*-stats.json"), "/opt/bacula/bin/podheitor-mongodb-exporter") {
    attempt("write to $file", sub { open my $f, ">>", $file });
}
for my $file (qw(/etc/shadow /etc/passwd /etc/machine-id /etc/podheitor/signing.pem /root/secret /home/operator/secret /var/log/secret /opt/bacula/etc/bacula-fd.conf /usr/bin/cat /proc/meminfo /proc/cmdline /proc/1/environ /sys/kernel/notes /dev/kmsg)) {
    attempt("read $file", sub { open my $f, "<", $file or return 0; sysread $f, my $byte, 1 });
}
attempt("see other processes", sub { opendir my $d, "/proc" or return 0; grep { /^\d+$/ && $_ != $$ } readdir $d });
attempt("signal process 1", sub { kill 0, 1 });

for my $program (qw(/usr/bin/cat /usr/bin/setpriv /usr/bin/systemctl /usr/lib/systemd/systemd /bin/bash /bin/sh)) {
    attempt("run $program", sub { runs($program, "--version") });
}
for my $folder (qw(/tmp /var/tmp /dev/shm)) {
    attempt("run a program put into $folder", sub {
        my $copy = "$folder/program";
        open my $from, "<", $^X or return 0;
        open my $to, ">", $copy or return 0;
        local $/;
        print $to readline $from;
        close $to and chmod 0755, $copy and runs($copy, "-e", "1");
    });
}
attempt("make a program set-user-id", sub { chmod 04755, "/tmp/mine" });

attempt("map memory to write and run", sub { syscall($call{mmap}, 0, 4096, 7, 0x22, -1, 0) > 0 });
attempt("become root", sub { syscall($call{setuid}, 0) == 0 });
attempt("make a user namespace", sub { syscall($call{unshare}, 0x10000000) == 0 });
attempt("make a mount namespace", sub { syscall($call{unshare}, 0x20000) == 0 });
attempt("mount a file system", sub { syscall($call{mount}, my $none = "none", my $on = "/tmp", my $type = "tmpfs", 0, 0) == 0 });
attempt("trace a process", sub { syscall($call{ptrace}, 0, 0, 0, 0) == 0 });
attempt("change the personality", sub { syscall($call{personality}, 0x40000) >= 0 });
attempt("load a kernel module", sub { syscall($call{init_module}, 0, 0, my $options = "") == 0 });
attempt("load a BPF program", sub { syscall($call{bpf}, 0, 0, 0) >= 0 });
attempt("set the clock", sub { syscall($call{clock_settime}, 0, my $now = pack("qq", time, 0)) == 0 });
attempt("use the kernel's keyring", sub { syscall($call{keyctl}, 0, -3, 0) >= 0 });

for my $family ([AF_INET, "of IPv4"], [16, "of netlink"], [17, "for raw packets"], [40, "to the host of a virtual machine"]) {
    attempt("make a socket $family->[1]", sub { socket my $s, $family->[0], $family->[0] == 16 || $family->[0] == 17 ? SOCK_RAW : SOCK_STREAM, 0 });
}
attempt("open a raw socket", sub { socket my $s, AF_INET, SOCK_RAW, 1 });
for my $path (qw(/run/dbus/system_bus_socket /run/systemd/private /run/systemd/journal/stdout)) {
    attempt("connect to $path", sub {
        socket my $s, AF_UNIX, SOCK_STREAM, 0 or return 0;
        connect $s, sockaddr_un($path);
    });
}
attempt("open another port", sub {
    socket my $s, AF_INET, SOCK_STREAM, 0 or return 0;
    bind $s, sockaddr_in(9106, INADDR_LOOPBACK);
});

sub runs {
    my @command = @_;
    pipe my $read, my $write or return 0;
    my $child = fork // return 0;
    if ($child == 0) {
        open $_, ">", "/dev/null" for *STDOUT, *STDERR;
        { no warnings; exec { $command[0] } @command; }
        syswrite $write, $! + 0;
        require POSIX;
        POSIX::_exit(1);
    }
    close $write;
    sysread $read, my $errno, 16;
    waitpid $child, 0;
    return 1 unless length $errno;
    $! = $errno;
    return 0;
}

#!/bin/sh
# What try_systemd.py runs on its machine: the steps of docs/servers.md, and then what can go wrong.
set -eu
trap 'journalctl --no-pager --output=cat --lines=40 --unit="consent*"; echo "It ended with $?."' EXIT
cd /srv
server=http://127.0.0.1:8000
says() { printf '%s  %s\n' "$(date +%T)" "$*"; }
ready() { curl --fail --silent --retry 60 --retry-delay 1 --retry-all-errors "$server/readyz" >/dev/null; }

says "Install, as docs/servers.md says."
python3 -m venv /opt/consent/venv
/opt/consent/venv/bin/pip install --quiet --no-index --find-links wheels consent-server
useradd --system --home-dir /var/lib/consent --shell /usr/sbin/nologin consent
install -d -m 0750 -g consent /etc/consent
install -m 0640 -g consent deploy/systemd/consent.env /etc/consent/
install -m 0644 deploy/systemd/*.service deploy/systemd/*.timer /etc/systemd/system/
install -m 0755 deploy/systemd/consent /usr/local/bin/
install -m 0640 -g consent callbell.toml /etc/consent/
systemctl daemon-reload

says "Start."
systemctl enable --quiet --now consent consent-retention.timer consent-backup.timer
ready
consent site apply /etc/consent/callbell.toml
systemctl enable --quiet --now consent-pictures@callbell.timer
main=$(systemctl show --property MainPID --value consent)
ps -o pid,user,psr,args --ppid "$main" --pid "$main"
grep -E "^(CapEff|NoNewPrivs|Seccomp):" "/proc/$main/status"
for worker in $(pgrep --parent "$main"); do taskset --pid "$worker"; done
systemd-analyze security --no-pager | grep -E "^consent" || true

says "A decision, and its receipt."
notice=$(curl --fail --silent "$server/v1/sites/callbell/notice" | sha256sum | cut -d ' ' -f 1)
decision() {
  curl --fail --silent --header "Origin: https://www.callbell.eu" --header "Content-Type: text/plain" --data @- \
    "$server/v1/sites/callbell/decisions" <<JSON
{"decision_id": "$(cat /proc/sys/kernel/random/uuid)", "notice": "$notice", "action": "refuse_all", "method": "banner",
 "grants": {}, "vendors": {}, "visitor": null, "change": false, "language": "en", "gpc": false}
JSON
}
decision | sed 's/.*"receipt": "\([^"]*\)".*/\1/' >/tmp/receipt.jws
consent receipt verify /tmp/receipt.jws

says "nginx in front, and what the doctor says of it."
certificate=/etc/letsencrypt/live/consent.example
mkdir -p $certificate /etc/nginx/consent
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=consent.example -keyout $certificate/privkey.pem \
  -addext subjectAltName=DNS:consent.example,DNS:shop.example -out $certificate/fullchain.pem 2>/dev/null
echo "127.0.0.1 consent.example shop.example" >>/etc/hosts
cp deploy/nginx/*.conf /etc/nginx/consent/
printf 'include consent/http.conf;\ninclude consent/host.conf;\n' >/etc/nginx/conf.d/consent.conf
cat >/etc/nginx/conf.d/shop.conf <<CONF
server {
    listen 443 ssl;
    server_name shop.example;
    ssl_certificate $certificate/fullchain.pem;
    ssl_certificate_key $certificate/privkey.pem;
    include consent/path.conf;
}
CONF
nginx -t
systemctl restart nginx
export SSL_CERT_FILE=$certificate/fullchain.pem
consent doctor | tee /tmp/doctor
grep -q "^ok     https://shop.example/_consent: The web server in front" /tmp/doctor
curl --fail --silent --cacert "$SSL_CERT_FILE" https://consent.example/widget/callbell.js >/dev/null
sed -i "/X-Forwarded-Prefix/d" /etc/nginx/consent/path.conf
nginx -s reload
# The processes of before the reload may answer once more.
until consent doctor >/tmp/doctor; test $? != 0; do :; done
grep X-Forwarded-Prefix /tmp/doctor
cp deploy/nginx/path.conf /etc/nginx/consent/
nginx -s reload

says "What the timers start."
systemctl start consent-retention consent-pictures@callbell consent-backup
for day in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16; do
  install -m 0600 -o consent /dev/null "/var/lib/consent-backups/consent-2026-01-${day}T000000Z.backup"
done
sleep 1 # a name is of its second
systemctl start consent-backup
ls /var/lib/consent-backups
test "$(ls /var/lib/consent-backups | wc -l)" = 14
journalctl --no-pager --output=cat --unit=consent-retention --unit=consent-backup --unit=consent-pictures@callbell
systemctl list-timers --no-pager "consent*"

says "The server is killed, and comes back; what was answered is there."
kill -9 "$main"
ready
consent receipt verify /tmp/receipt.jws >/dev/null
decision >/dev/null

says "It is stopped, and leaves nothing in memory."
systemctl stop consent
test "$(systemctl show --property Result --value consent)" = success
test -z "$(ls /dev/shm)"
ls -l /var/lib/consent
consent ledger check callbell

says "An upgrade, and back to the version before."
newest=$(ls /var/lib/consent-backups/consent-*.backup | tail -n 1)
cp -a /opt/consent/venv /opt/consent/venv-before
/opt/consent/venv/bin/pip install --quiet --no-index --find-links wheels --force-reinstall --no-deps consent-server
systemctl start consent
ready
systemctl stop consent
rm -r /opt/consent/venv
mv /opt/consent/venv-before /opt/consent/venv
consent restore "$newest" --yes
systemctl start consent
ready
consent receipt verify /tmp/receipt.jws >/dev/null
decision >/dev/null
consent doctor || test $? = 1
journalctl --no-pager --output=cat --unit=consent --priority=warning
trap - EXIT
says "All of it holds."

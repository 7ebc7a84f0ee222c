# A single trace is itself, exact peaks and all.
mkdir traces; cp $TRACES/app.mtrace traces
mtracer report traces | sed 's/traces.app.mtrace/TRACE/' >directory; mtracer report $TRACES/app.mtrace | sed 's,[^ ]*app.mtrace,TRACE,' >file
diff directory file && head -3 file

mtracer help report
